import { median } from './percentiles.ts'

/** Ten samples in each quarter: a median of fewer is luck. */
const FEWEST = 40

/**
 * Whether latencies, in the order requests were due, grow through the whole run, as they do where more requests arrive than can be
 * answered: the medians of its quarters rise to more than 1.5, 2 and 3 times that of the first. A queue that was filled by one
 * interruption empties again, and does not show this. With fewer than 40 samples the answer is no.
 */
export function keepsGrowing(latenciesMs: Float32Array): boolean {
  if (latenciesMs.length < FEWEST) return false
  const quarter = (index: number) =>
    median(latenciesMs.subarray(Math.floor((index * latenciesMs.length) / 4), Math.floor(((index + 1) * latenciesMs.length) / 4)))
  const first = quarter(0)
  return quarter(1) > 1.5 * first && quarter(2) > 2 * first && quarter(3) > 3 * first
}

/** More than this share of all requests waiting at the end is a queue that the run has built up. */
const BACKLOG_SHARE = 0.25

/**
 * Whether more than a quarter of all requests were still unanswered when the last one was due: the run lasted that much longer than its
 * arrivals. With fewer than 40 samples the answer is no.
 *
 * @param offsetsMs when each request was due, ascending; one for each latency
 */
export function endsBehind(latenciesMs: Float32Array, offsetsMs: Float64Array): boolean {
  if (latenciesMs.length < FEWEST) return false
  const lastDueMs = offsetsMs.at(-1) as number
  let late = 0
  for (const [i, latencyMs] of latenciesMs.entries()) if ((offsetsMs[i] as number) + latencyMs > lastDueMs) late++
  return late > BACKLOG_SHARE * latenciesMs.length
}
