import { percentileOfSorted, sortedAscending } from './percentiles.ts'

/** Counts of several sample sets on the same edges. */
export interface SharedHistogram {
  /** One more than there are bins, ascending. Bin i holds edges[i] ≤ value < edges[i + 1]; the last bin includes its upper edge. */
  readonly edges: number[]
  /** One row for each sample set. */
  readonly counts: number[][]
}

/**
 * Histogram of several sample sets on common edges, so that their shapes can be laid over each other. Every sample is counted.
 *
 * A few very slow samples would squeeze the body of the distribution into one bin. So all bins are equally wide up to where the
 * body of the widest set ends ({@link endOfBody}), and where samples lie beyond, the last bin is wider and reaches to the slowest
 * one: it holds at most 10 % of any set, usually far less than 1 %.
 *
 * @param sets each with at least one finite value
 * @param bins at least 2
 * @throws RangeError when there is no set, an empty set, or fewer than 2 bins
 */
export function sharedHistogram(sets: readonly Float32Array[], bins: number): SharedHistogram {
  if (!Number.isInteger(bins) || bins < 2) throw new RangeError(`${bins} bins, expected a whole number of at least 2`)
  if (sets.length === 0) throw new RangeError('no sample set for a histogram')
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let body = Number.NEGATIVE_INFINITY
  for (const set of sets) {
    const sorted = sortedAscending(set)
    body = Math.max(body, endOfBody(sorted))
    low = Math.min(low, sorted[0] as number)
    high = Math.max(high, sorted.at(-1) as number)
  }
  const open = high > body
  const even = open ? bins - 1 : bins
  // Equal values still get bins of some width: a millionth of the value, more than float32 samples can resolve.
  const width = Math.max((body - low) / even, Math.abs(low) * 1e-6, 1e-9)
  const edges = Array.from({ length: even + 1 }, (_, i) => low + i * width)
  if (open) edges.push(Math.max(high, low + (even + 1) * width))
  return { edges, counts: sets.map((set) => countInto(set, edges, low, width)) }
}

/**
 * Where the body of a distribution ends: the 99th percentile, but on a noisy machine, where that may be many times the median, no
 * further than six interquartile ranges above the upper quartile (twice Tukey's outer fence), and never below the 90th percentile.
 */
function endOfBody(sorted: Float32Array): number {
  const upperQuartile = percentileOfSorted(sorted, 75)
  const fence = upperQuartile + 6 * (upperQuartile - percentileOfSorted(sorted, 25))
  return Math.min(percentileOfSorted(sorted, 99), Math.max(fence, percentileOfSorted(sorted, 90)))
}

function countInto(set: Float32Array, edges: readonly number[], low: number, width: number): number[] {
  const bins = edges.length - 1
  const counts = new Array<number>(bins).fill(0)
  for (const value of set) {
    let bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)))
    // The division may round across an edge; the edges decide.
    if (value < (edges[bin] as number) && bin > 0) bin--
    else if (bin < bins - 1 && value >= (edges[bin + 1] as number)) bin++
    counts[bin] = (counts[bin] as number) + 1
  }
  return counts
}
