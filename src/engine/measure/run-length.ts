import type { Progress } from '../../contract/job.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { MOST_SAMPLES } from './timed-runs.ts'

/** When a measurement has enough, and how far it is. */
export interface RunLength {
  readonly enough: (runs: number, elapsedMs: number) => boolean
  readonly progress: (runs: number, elapsedMs: number) => Progress
  /** Said where the end came for want of room. */
  readonly notes: (runs: number) => string[]
}

/** `seconds` where they are given (one run at least), else `runs`. */
export function runLength({ runs: wanted, seconds }: BenchSettings): RunLength {
  if (seconds === undefined) {
    return {
      enough: (runs) => runs >= wanted,
      progress: (runs) => ({ phase: 'measure', done: Math.min(runs, wanted), total: wanted, unit: 'runs' }),
      notes: () => [],
    }
  }
  return {
    enough: (runs, elapsedMs) => (runs > 0 && elapsedMs >= seconds * 1000) || runs >= MOST_SAMPLES,
    progress: (_, elapsedMs) => ({ phase: 'measure', done: Math.min(elapsedMs / 1000, seconds), total: seconds, unit: 's' }),
    notes: (runs) => (runs >= MOST_SAMPLES ? [`Measuring stopped after ${MOST_SAMPLES} samples, before the ${seconds} s were over.`] : []),
  }
}
