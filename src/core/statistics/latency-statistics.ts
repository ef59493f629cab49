import { minimumSamples, percentileRanks } from './percentile-interval.ts'
import { percentileOfSorted, sortedAscending } from './percentiles.ts'
import { summarize } from './summary.ts'

/** Statistics of latency samples, in the unit of the samples (milliseconds). The shape of the contract's `latencyStatisticsSchema`. */
export interface LatencyStatistics {
  readonly mean: number
  readonly std: number
  readonly min: number
  readonly max: number
  readonly p50: number
  /** `null` with fewer than 29 samples. */
  readonly p90: number | null
  /** `null` with fewer than 59 samples. */
  readonly p95: number | null
  /** `null` with fewer than 299 samples. */
  readonly p99: number | null
  /** `null` with fewer than 2,995 samples. */
  readonly p999: number | null
  /** Exact 95 % intervals by name (`p50` … `p99`, `p999`), for those percentiles the sample is large enough for. */
  readonly ci: Record<string, [number, number]>
}

/**
 * Everything that is said about a set of latency samples. No sample is dropped. Percentiles interpolate like NumPy
 * (`percentiles.ts`); one that the sample cannot support is `null`, except the median, which then only lacks its interval.
 *
 * @param samples at least one, in any order
 * @throws RangeError when there are none
 */
export function latencyStatistics(samples: Float32Array): LatencyStatistics {
  const { mean, std, min, max } = summarize(samples)
  const sorted = sortedAscending(samples)
  const ci: Record<string, [number, number]> = {}
  for (const [name, percent] of Object.entries({ p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9 })) {
    const ranks = percentileRanks(sorted.length, percent)
    if (ranks) ci[name] = [sorted[ranks.lower - 1] as number, sorted[ranks.upper - 1] as number]
  }
  const supported = (percent: number) => (sorted.length >= minimumSamples(percent) ? percentileOfSorted(sorted, percent) : null)
  const p50 = percentileOfSorted(sorted, 50)
  return { mean, std, min, max, p50, p90: supported(90), p95: supported(95), p99: supported(99), p999: supported(99.9), ci }
}
