import type { LatencyStatistics } from '../../../contract/measurement.ts'
import { formatMs } from '../../format/durations.ts'

/** An interval with its unit once: [1.20, 1.31 ms]; empty where there is none. */
export function intervalText(interval: readonly [number, number] | undefined | null): string {
  return interval ? `[${formatMs(interval[0])}, ${formatMs(interval[1])}]`.replace(' ms,', ',') : ''
}

/** Samples below which a percentile is not given: its 95 % interval would have no upper end. As in the contract. */
const fewest: Readonly<Record<'p90' | 'p95' | 'p99' | 'p999', number>> = { p90: 29, p95: 59, p99: 299, p999: 2995 }

/** One line of a table of latency statistics. */
export interface StatisticLine {
  readonly name: string
  readonly ms: number | null
  readonly interval: readonly [number, number] | null
  /** Why there is no number; empty where there is one. */
  readonly missing: string
}

/** All statistics of a latency distribution from the fastest to the slowest, then mean and deviation. */
export function statisticLines(latencyMs: LatencyStatistics): StatisticLine[] {
  const line = (name: string, ms: number | null, key?: keyof typeof fewest | 'p50'): StatisticLine => ({
    name,
    ms,
    interval: (key && latencyMs.ci[key]) ?? null,
    missing: ms === null && key && key !== 'p50' ? `not enough samples for ${name}: ${fewest[key].toLocaleString('en-US')} are needed` : '',
  })
  return [
    line('min', latencyMs.min),
    line('p50', latencyMs.p50, 'p50'),
    line('p90', latencyMs.p90, 'p90'),
    line('p95', latencyMs.p95, 'p95'),
    line('p99', latencyMs.p99, 'p99'),
    line('p99.9', latencyMs.p999, 'p999'),
    line('max', latencyMs.max),
    { ...line('mean', latencyMs.mean), interval: latencyMs.ci.mean ?? null },
    line('standard deviation', latencyMs.std),
  ]
}
