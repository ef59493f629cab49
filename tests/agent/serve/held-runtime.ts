import type { InferenceRuntime, LoadedModel } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

/** ONNX Runtime whose runs wait for `release`, all but the warm-up. */
export interface HeldRuntime {
  readonly runtime: InferenceRuntime
  /** Runs that wait. */
  readonly held: () => number
  /** Runs so far, without the warm-up. */
  readonly runs: () => number
  readonly release: () => void
}

export function heldRuntime(): HeldRuntime {
  const waiting: (() => void)[] = []
  let runs = -1
  const load: InferenceRuntime['load'] = async (...options) => {
    const loaded = await onnxRuntime.load(...options)
    const run: LoadedModel['run'] = async (feeds) => {
      if (++runs > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return loaded.run(feeds)
    }
    return { ...loaded, run }
  }
  return {
    runtime: { ...onnxRuntime, load },
    held: () => waiting.length,
    runs: () => runs,
    release: () => {
      for (const resume of waiting.splice(0)) resume()
    },
  }
}
