import type { ValueRange } from '../affine-parameters.ts'
import type { HistogramBins } from './tensor-histogram.ts'

/** The histogram of −x. (Values on an edge change bins: edges belong to the upper bin before and to the lower one afterwards.) */
export function mirrored({ width, first, counts }: HistogramBins): HistogramBins {
  return { width, first: -(first + counts.length), counts: counts.slice().reverse() }
}

/** The histogram of |x|. */
export function magnitudes(bins: HistogramBins): HistogramBins {
  const { width, first, counts } = bins
  if (first >= 0) return bins
  if (first + counts.length <= 0) return mirrored(bins)
  const positive = first + counts.length
  const folded = new Float64Array(Math.max(-first, positive))
  folded.set(counts.subarray(-first))
  for (let index = 0; index < -first; index++) {
    const bin = -first - 1 - index
    folded[bin] = (folded[bin] as number) + (counts[index] as number)
  }
  return { width, first: 0, counts: folded }
}

/** The same histogram made to begin or end at zero where zero lies outside of it, with bins merged in twos until there are at most `most`. */
export function aroundZero({ width, first, counts }: HistogramBins, most: number): HistogramBins {
  let merged = 1
  const from = () => Math.min(0, Math.floor(first / merged))
  const end = () => Math.max(0, Math.ceil((first + counts.length) / merged))
  while (end() - from() > most) merged *= 2
  const start = from()
  const result = new Float64Array(end() - start)
  for (let index = 0; index < counts.length; index++) {
    const bin = Math.floor((first + index) / merged) - start
    result[bin] = (result[bin] as number) + (counts[index] as number)
  }
  return { width: width * merged, first: start, counts: result }
}

/** Lower and upper edge of bin `index`, the outermost ones no wider than what was observed. */
export function binEdges({ width, first }: HistogramBins, index: number, observed: ValueRange): ValueRange {
  return { min: Math.max((first + index) * width, observed.min), max: Math.min((first + index + 1) * width, observed.max) }
}

/** A range with both ends moved to where something was observed. */
export function within({ min, max }: ValueRange, observed: ValueRange): ValueRange {
  const moved = (end: number) => Math.min(Math.max(end, observed.min), observed.max)
  return { min: moved(min), max: moved(max) }
}

/** Smallest and largest magnitude of the values of a range. */
export function magnitudeRange({ min, max }: ValueRange): ValueRange {
  return { min: Math.max(0, min, -max), max: Math.max(-min, max) }
}

/**
 * How many values of the bin that holds zero stand out from both bins beside it. A ReLU makes many exact zeros; every scale holds
 * zero exactly, so these values say nothing about a good range.
 */
export function zeroSpike({ first, counts }: HistogramBins): number {
  const zero = -first
  if (zero < 0 || zero >= counts.length) return 0
  return Math.max(0, (counts[zero] as number) - Math.max(counts[zero - 1] ?? 0, counts[zero + 1] ?? 0))
}
