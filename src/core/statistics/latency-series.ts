import { percentileOfSorted } from './percentiles.ts'

/** A latency series made short enough to be drawn. The shape of the contract's `latencySeriesSchema`. */
export interface LatencySeries {
  readonly samples: number
  /** When the first sample of each bin began. */
  readonly offsetsMs: number[]
  readonly minMs: number[]
  readonly medianMs: number[]
  readonly maxMs: number[]
}

/**
 * Bins a series of samples, in order, into at most `points` bins of equal numbers of samples (they differ by one at most). Smallest,
 * median and largest of each are kept, so a single slow sample among millions stays visible. Takes O(n log(n / points)).
 *
 * @param offsetsMs when each sample began, ascending; one for each latency
 * @param points at least 1
 * @throws RangeError for different lengths or no bins
 */
export function latencySeries(latenciesMs: Float32Array, offsetsMs: Float64Array, points: number): LatencySeries {
  const samples = latenciesMs.length
  if (offsetsMs.length !== samples) throw new RangeError(`${samples} latencies and ${offsetsMs.length} offsets`)
  if (!Number.isInteger(points) || points < 1) throw new RangeError(`${points} bins, expected a whole number of at least 1`)
  const bins = Math.min(points, samples)
  const series: LatencySeries = { samples, offsetsMs: [], minMs: [], medianMs: [], maxMs: [] }
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * samples) / bins)
    const sorted = latenciesMs.slice(from, Math.floor(((bin + 1) * samples) / bins)).sort()
    series.offsetsMs.push(offsetsMs[from] as number)
    series.minMs.push(sorted[0] as number)
    series.medianMs.push(percentileOfSorted(sorted, 50))
    series.maxMs.push(sorted.at(-1) as number)
  }
  return series
}

/** When samples began that came one after the other without a pause: the sum of those before. For runs stored without offsets. */
export function backToBackOffsets(latenciesMs: Float32Array): Float64Array {
  const offsetsMs = new Float64Array(latenciesMs.length)
  let atMs = 0
  for (const [i, latencyMs] of latenciesMs.entries()) {
    offsetsMs[i] = atMs
    atMs += latencyMs
  }
  return offsetsMs
}
