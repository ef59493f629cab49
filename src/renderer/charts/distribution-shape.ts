import type { RunComparison } from '../../contract/measurement.ts'

/** Share of samples per millisecond in each bin: bins of different widths become comparable, and every curve has the same area. */
export function densities({ edgesMs, counts }: RunComparison['runs'][number]['histogram']): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count, bin) => {
    const width = (edgesMs[bin + 1] ?? 0) - (edgesMs[bin] ?? 0)
    return width > 0 && total > 0 ? count / total / width : 0
  })
}

/** A slowest sample this many times farther out than the 99th percentile would squeeze everything else. */
const STRETCH = 2

/**
 * From the fastest sample to a bit beyond the slowest 99th percentile, or to the slowest sample where that is not far.
 * @param quantiles latency at each whole percent (101 values), a run each
 */
export function drawnRange(quantiles: readonly (readonly number[])[]): [number, number] {
  const low = Math.min(...quantiles.map((values) => values[0] ?? 0))
  const p99 = Math.max(...quantiles.map((values) => values[99] ?? 0))
  const slowest = Math.max(...quantiles.map((values) => values[100] ?? 0))
  if (!(p99 > low)) return [low, Math.max(slowest, low)]
  return slowest - low > (p99 - low) * STRETCH ? [low, p99 + (p99 - low) * 0.25] : [low, slowest]
}
