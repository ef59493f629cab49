import type { LoadedModel } from '../../../core/inference-runtime.ts'
import { warmUpFeeds } from './warm-up.ts'

export interface TimedRuns {
  readonly runs: number
  /** So many are made in any case; after `longEnoughMs` no more than that: a slow model is known well enough by then. */
  readonly fewest: number
  readonly longEnoughMs: number
  /** Other work of this thread gets its turn between two runs. */
  readonly turns: boolean
}

/**
 * Times single runs on made-up inputs, one after the other.
 * @returns milliseconds, shortest first
 * @throws EdgesmithError `MODEL_RUN_FAILED`
 */
export async function timeRuns(model: LoadedModel, { runs, fewest, longEnoughMs, turns }: TimedRuns): Promise<Float32Array> {
  const feeds = warmUpFeeds(model.inputs, 1)
  const times: number[] = []
  const end = performance.now() + longEnoughMs
  // The first run of a size prepares for it and does not count.
  await model.run(feeds)
  while (times.length < runs) {
    const start = performance.now()
    await model.run(feeds)
    times.push(performance.now() - start)
    if (times.length >= fewest && performance.now() > end) break
    if (turns) await new Promise((resolve) => setImmediate(resolve))
  }
  return Float32Array.from(times).sort()
}
