import { median } from '../../core/statistics/percentiles.ts'

/** How long to warm up at least. */
export interface AskedWarmUp {
  readonly runs: number
  readonly seconds: number
}

export interface WarmUp {
  readonly runs: number
  /** Whether it ended with latencies that had settled; `null` where it was too short to tell. */
  readonly steady: boolean | null
}

/** Runs the model until `enough` (asked after every run with runs and milliseconds of this call) and answers the latencies. */
export type TimedWindow = (enough: (runs: number, elapsedMs: number) => boolean) => Promise<Float32Array>

const WINDOW_MS = 500
const WINDOWS = 3
/** Medians of windows that are this close are called equal (research: "How to measure"). */
const AGREEMENT = 1.03
/** A shorter warm-up does not hold the windows that are compared; one that is asked for is meant. */
const SHORTEST_JUDGED_SECONDS = (WINDOWS * WINDOW_MS) / 1000
/** A machine that never settles is measured all the same, and labelled. */
const MOST_TIMES_ASKED = 5
const MOST_MORE_MS = 10_000

/**
 * Warms up until both `runs` and `seconds` are reached, and from then on until the medians of three half-second windows in a row agree
 * within 3 %: clocks have risen, caches and allocators have settled. At most five times as long as asked and at most 10 s longer.
 *
 * @param nowMs a clock, for tests
 */
export async function warmUp(window: TimedWindow, asked: AskedWarmUp, nowMs: () => number = () => performance.now()): Promise<WarmUp> {
  if (asked.seconds < SHORTEST_JUDGED_SECONDS) {
    const latenciesMs = await window((runs, elapsedMs) => runs >= asked.runs && elapsedMs >= asked.seconds * 1000)
    return { runs: latenciesMs.length, steady: null }
  }
  const start = nowMs()
  const medians: number[] = []
  let runs = 0
  let askedMs: number | undefined
  for (;;) {
    const latenciesMs = await window((count, elapsedMs) => count > 0 && elapsedMs >= WINDOW_MS)
    runs += latenciesMs.length
    medians.push(median(latenciesMs))
    const elapsedMs = nowMs() - start
    if (runs < asked.runs || elapsedMs < asked.seconds * 1000) continue
    askedMs ??= elapsedMs
    const last = medians.slice(-WINDOWS)
    if (last.length === WINDOWS && Math.max(...last) <= Math.min(...last) * AGREEMENT) return { runs, steady: true }
    if (elapsedMs >= Math.min(askedMs * MOST_TIMES_ASKED, askedMs + MOST_MORE_MS)) return { runs, steady: false }
  }
}
