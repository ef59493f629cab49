import type { NamedTensors } from '../../core/inference-runtime.ts'
import { median } from '../../core/statistics/percentiles.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { openPreparedModel, type PreparedModel } from '../runtimes/prepared-model.ts'
import { runError } from '../runtimes/runtime-errors.ts'
import type { MeasureContext } from './benchmark.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'

/** Times without the profiler: this long at most, for all models together. */
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

/** What {@link timePlain} found. */
export interface PlainTimes {
  /** Inputs that were made up, for each model. */
  readonly feeds: readonly NamedTensors[]
  /** What had to be assumed to make them, each said once. */
  readonly assumptions: readonly string[]
  /** Median milliseconds of a run of each model; `undefined` for models so slow that the profiler does not count. */
  readonly plainMs: readonly number[] | undefined
}

/**
 * Inputs of each model and, where it does not take too long, the median of its runs without the profiler. Models run in turns.
 *
 * @param models bytes of self-contained .onnx files
 * @throws EdgesmithError `MODEL_LOAD_FAILED` and relatives, `USAGE` (batch, inputs), `TOO_LARGE`, `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function timePlain(
  models: readonly Uint8Array[],
  { batch, threads }: { readonly batch: number; readonly threads: number },
  { reporter, signal }: MeasureContext,
): Promise<PlainTimes> {
  const open: PreparedModel[] = []
  try {
    for (const model of models) open.push(await openPreparedModel(model, threads))
    const inputs = open.map(({ inputs: ports }) => makeBenchmarkInputs(ports, batch))
    const feeds = inputs.map(({ feeds: made }) => made)
    const assumptions = [...new Set(inputs.flatMap(({ assumptions: made }) => made))]
    const runs = open.map((model, index) => model.prepare(feeds[index]!))
    let slowest = 0
    for (const run of runs) slowest = Math.max(slowest, await timed(run), await timed(run))
    if (slowest > SLOW_MS) return { feeds, assumptions, plainMs: undefined }
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
    return { feeds, assumptions, plainMs: samples.map((all) => median(Float32Array.from(all))) }
  } finally {
    for (const model of open) await model.close()
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
