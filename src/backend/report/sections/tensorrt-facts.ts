import type { TensorRtRun } from '../../../contract/measurement.ts'
import { formatBytes, formatMs } from '../quantities.ts'

/** How a TensorRT engine was made and timed; nothing for a run of ONNX Runtime. */
export function tensorRtFacts(run: TensorRtRun | null): (readonly [string, string])[] {
  if (!run) return []
  const { version, gpu, jetPack, options, engineBytes, buildSeconds, computeMs, copyInMs, copyOutMs } = run
  const built = buildSeconds === null ? 'built before' : `built in ${Math.round(buildSeconds)} s`
  return [
    ['TensorRT', [version, gpu, jetPack === null ? null : `JetPack ${jetPack}`].filter((part) => part !== null).join(', ')],
    ['engine', `${formatBytes(engineBytes)}, ${built}`],
    ['timed by trtexec with', options.join(' ')],
    ['GPU alone, copies in and out', [computeMs, copyInMs, copyOutMs].map((value) => formatMs(value)).join(', ')],
  ]
}
