import { readFile } from 'node:fs/promises'
import type { Explanation } from '../../contract/analysis.ts'
import { explainSlowdown } from '../../core/explanation/explain-slowdown.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { profileInterleaved } from '../runtimes/node-profile.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import type { MeasureContext } from './benchmark.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { timePlain } from './plain-times.ts'

/** What to explain: a build beside its baseline, on inputs made up for a batch. */
export interface ExplainRequest {
  /** Paths of self-contained .onnx files. */
  readonly baseline: string
  readonly model: string
  readonly batch: number
  readonly threads: number
}

/**
 * Says why a build takes the time it takes. Both models run in turns, first as they are (for the totals), then under ONNX Runtime's
 * profiler (for the nodes), a few seconds in all whatever they cost. Times of single nodes carry a few microseconds of the profiler
 * each, so that their sum is above the total.
 *
 * Inputs are made up from what each model says of its own (`benchmark-inputs.ts`).
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `USAGE` (batch, inputs), `TOO_LARGE`,
 *   `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function explain(request: ExplainRequest, context: MeasureContext): Promise<Explanation> {
  const { reporter, signal, systemRoot = '/' } = context
  const environment = readEnvironment(systemRoot, await readClockState(systemRoot), context.edgesmithVersion)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  await startRuntime()
  const bytes = [await readFile(request.baseline), await readFile(request.model)]
  const { feeds, plainMs } = await timePlain(bytes, request, context)
  throwIfCancelled(signal)
  const profiles = await profileInterleaved(
    bytes.map((model, index) => ({ model, feeds: feeds[index]! })),
    {
      threads: request.threads,
      onRun: (done, total) => {
        throwIfCancelled(signal)
        reporter.progress({ phase: 'profile', done, total, unit: 'runs' })
      },
    },
  )
  const [baseline, build] = profiles as [(typeof profiles)[0], (typeof profiles)[0]]
  const machine = { architecture: environment.architecture, features: environment.cpuFeatures, threads: request.threads }
  const { findings, nodes, kernels, advice } = explainSlowdown(baseline, build, machine)
  return {
    baselineMs: plainMs?.[0] ?? baseline.runMs,
    buildMs: plainMs?.[1] ?? build.runMs,
    findings,
    nodes,
    kernels,
    cpuFeatures: environment.cpuFeatures,
    advice,
  }
}
