import type { ExportedTimes } from './export-times.ts'

/** The timed part of a trace. */
export interface TimedQueries {
  readonly latenciesMs: Float32Array
  /** When each began, since the first. */
  readonly offsetsMs: Float64Array
  /** From the first start to the last end. */
  readonly elapsedMs: number
  /** Queries before the first of them, those that trtexec did not list included. */
  readonly warmUpQueries: number
  readonly h2dMs: Float64Array
  readonly computeMs: Float64Array
  readonly d2hMs: Float64Array
}

/** What belongs to warm-up, besides what trtexec itself takes for it. */
export interface AskedTiming {
  /** What `--warmUp` was. */
  readonly warmUpMs: number
  /** Queries of warm-up at least. */
  readonly warmUpQueries: number
  /** Exactly so many are timed: the last ones. All where it is left out. */
  readonly queries?: number | undefined
}

/**
 * Tells warm-up and timed queries apart. trtexec counts as warm-up what the GPU began before `warmUpMs` (`printPerformanceReport`, all
 * versions) and warms up for a time only; where that made fewer queries than are asked for, the first timed ones belong to it as well.
 *
 * @param before queries of warm-up that trtexec says it made
 * @returns `undefined` where nothing is left
 */
export function timedQueries(
  times: ExportedTimes,
  before: number,
  { warmUpMs, warmUpQueries, queries }: AskedTiming,
): TimedQueries | undefined {
  let listed = 0
  while (listed < times.queries && (times.computeStartMs[listed] as number) < warmUpMs) listed++
  // Versions that list warm-up say the same number.
  const done = Math.max(before, listed)
  const enough = listed + Math.max(0, Math.ceil(warmUpQueries) - done)
  const first = Math.max(enough, queries === undefined ? 0 : times.queries - queries)
  if (first >= times.queries) return undefined
  const startMs = times.startMs.subarray(first)
  const [begin] = startMs as unknown as [number]
  return {
    latenciesMs: Float32Array.from(times.latencyMs.subarray(first)),
    offsetsMs: ascendingOffsets(startMs, begin),
    elapsedMs: (times.endMs.at(-1) as number) - begin,
    warmUpQueries: done + first - listed,
    h2dMs: times.h2dMs.subarray(first),
    computeMs: times.computeMs.subarray(first),
    d2hMs: times.d2hMs.subarray(first),
  }
}

/** Six digits are printed: late starts are rounded, and may seem to come before the one before. */
function ascendingOffsets(startMs: Float64Array, begin: number): Float64Array {
  let latest = 0
  return Float64Array.from(startMs, (start) => {
    latest = Math.max(latest, start - begin)
    return latest
  })
}

/**
 * The smallest step of a length that trtexec can tell that long after its start: it keeps moments as 32-bit floats of milliseconds.
 * @param atMs moment since start
 * @returns milliseconds, 2^(⌊log2 atMs⌋ − 23)
 */
export function timeStepMs(atMs: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(1, atMs))) - 23)
}
