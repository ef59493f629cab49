import { readFile } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { openPreparedModel } from '../runtimes/prepared-model.ts'
import { runError } from '../runtimes/runtime-errors.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'

/** A model that is loaded, fed with made-up inputs, and has run once. */
export interface TimedModel {
  readonly run: () => Promise<unknown>
  readonly loadMs: number
  readonly firstInferenceMs: number
  /** What had to be assumed for the inputs. */
  readonly assumptions: string[]
  close(): Promise<void>
}

/**
 * Loads a model and runs it once. The runtime itself must have been started before (`startRuntime`), so that its own preparations are not
 * counted as the model's.
 *
 * @throws EdgesmithError `MODEL_LOAD_FAILED` and relatives, `USAGE` (batch, inputs), `TOO_LARGE`, `JOB_CANCELLED`; what the runtime
 *   throws in the first run
 */
export async function openTimedModel(
  modelPath: string,
  { batch, threads }: Pick<BenchSettings, 'batch' | 'threads'>,
  signal: AbortSignal,
): Promise<TimedModel> {
  const loadStart = performance.now()
  const model = await openPreparedModel(await readFile(modelPath), threads)
  const loadMs = performance.now() - loadStart
  try {
    const { feeds, assumptions } = makeBenchmarkInputs(model.inputs, batch)
    const run = model.prepare(feeds)
    throwIfCancelled(signal)
    const firstStart = performance.now()
    await run()
    return { run, loadMs, firstInferenceMs: performance.now() - firstStart, assumptions, close: () => model.close() }
  } catch (error) {
    await model.close()
    throw error
  }
}

/** What measuring threw: errors of ours and of the system (no such file) keep their code; what else has none comes from the runtime. */
export function measureError(error: unknown): unknown {
  return error instanceof EdgesmithError || (error instanceof Error && 'syscall' in error) ? error : runError(error)
}
