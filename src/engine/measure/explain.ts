import { readFile } from 'node:fs/promises'
import type { Explanation } from '../../contract/measurement.ts'
import { explainSlowdown } from '../../core/explanation/explain-slowdown.ts'
import { median } from '../../core/statistics/percentiles.ts'
import { profileInterleaved } from '../runtimes/node-profile.ts'
import { openPreparedModel, type PreparedModel, startRuntime } from '../runtimes/prepared-model.ts'
import { runError } from '../runtimes/runtime-errors.ts'
import type { MeasureContext } from './benchmark.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { throwIfCancelled } from './timed-runs.ts'

/** What to explain: a build beside its baseline, on inputs made up for a batch. */
export interface ExplainRequest {
  /** Paths of self-contained .onnx files. */
  readonly baseline: string
  readonly model: string
  readonly batch: number
  readonly threads: number
}

/** Times without the profiler: this long at most, for both models together. */
const PLAIN_BUDGET_MS = 1500
/** Runs of each model without the profiler. */
const PLAIN_RUNS = 200
/** A median of fewer says nothing. */
const FEWEST_RUNS = 5
/** A slower inference is not run again without the profiler, which adds nothing to speak of then. */
const SLOW_MS = 250
/** Runs of one model before the other's turn, and how long they may take: short against a neighbour's work. */
const BLOCK_RUNS = 10
const BLOCK_MS = 50

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

/** Inputs of each model and, where it does not take too long, the median of its runs without the profiler. */
async function timePlain(bytes: readonly Uint8Array[], { batch, threads }: ExplainRequest, { reporter, signal }: MeasureContext) {
  const models: PreparedModel[] = []
  try {
    for (const model of bytes) models.push(await openPreparedModel(model, threads))
    const feeds = models.map(({ inputs }) => makeBenchmarkInputs(inputs, batch).feeds)
    const runs = models.map((model, index) => model.prepare(feeds[index]!))
    let slowest = 0
    for (const run of runs) slowest = Math.max(slowest, await timed(run), await timed(run))
    if (slowest > SLOW_MS) return { feeds, plainMs: undefined }
    const block = Math.max(1, Math.min(BLOCK_RUNS, Math.floor(BLOCK_MS / slowest)))
    const samples: number[][] = runs.map(() => [])
    const start = performance.now()
    for (
      let turn = 0;
      samples[0]!.length < PLAIN_RUNS && (samples[0]!.length < FEWEST_RUNS || performance.now() - start < PLAIN_BUDGET_MS);
      turn++
    ) {
      const order = runs.map((_, index) => index)
      for (const index of turn % 2 === 0 ? order : order.reverse()) {
        for (let run = 0; run < block; run++) samples[index]!.push(await timed(runs[index]!))
      }
      throwIfCancelled(signal)
      reporter.progress({ phase: 'measure', done: samples[0]!.length, total: PLAIN_RUNS, unit: 'runs' })
    }
    return { feeds, plainMs: samples.map((all) => median(Float32Array.from(all))) }
  } finally {
    for (const model of models) await model.close()
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  try {
    await run()
  } catch (error) {
    throw runError(error)
  }
  return performance.now() - start
}
