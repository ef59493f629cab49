import { affineParameters, integerLimits, type QuantizedType, type ValueRange } from '../affine-parameters.ts'
import { binEdges, mirrored, within, zeroSpike } from './histogram-bins.ts'
import type { HistogramBins } from './tensor-histogram.ts'

/** Candidates for one end are the observed end times 2^(−k / 16) down to 1/4096 of it: the resolution of the histogram. */
const STEPS_PER_OCTAVE = 16
const OCTAVES = 12
/** Even steps between the neighbours of the best candidate. */
const REFINEMENTS = 16
/** The two ends are moved in turns until neither moves; a bound, in case they creep. */
const MOST_TURNS = 10

/**
 * The range with the smallest expected squared error of quantization. With scale s and the real values lo, hi of the smallest and
 * largest integer of the type (from {@link affineParameters}, so a rounded zero point and the lopsided symmetric uint8 are accounted for):
 *
 * error = s²/12 · (values inside, without exact zeros) + Σ_{x < lo} (lo − x)² + Σ_{x > hi} (x − hi)²
 *
 * s²/12 is the variance of rounding (uniform over one step); the sums over the histogram take values as spread evenly in their bins. A symmetric
 * range is shrunk as a whole, of an asymmetric one both ends in turns; an end at or beyond zero stays, because zero is always in the range.
 *
 * Worked example: 1,000,000 values spread evenly over 0 to 1 and one at 100, uint8. Range 0 to 100: s = 0.392, error
 * 10⁶ · 0.392² / 12 = 12,816. Range 0 to 1: s = 1/255, error 10⁶ · s² / 12 + 99² = 9,802. The optimum is 0 to 43.8: s = 0.172, error
 * 10⁶ · 0.172² / 12 + 56.2² = 5,617.
 *
 * @param observed smallest and largest value
 */
export function mseRange(bins: HistogramBins, observed: ValueRange, type: QuantizedType, symmetric: boolean): ValueRange {
  const error = quantizationError(bins, observed, type, symmetric)
  if (symmetric) {
    const bound = bestEnd((end) => error({ min: -end, max: end }), Math.max(-observed.min, observed.max))
    return within({ min: -bound, max: bound }, observed)
  }
  const lowest = Math.min(observed.min, 0)
  const highest = Math.max(observed.max, 0)
  let [min, max] = [lowest, highest]
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const [minBefore, maxBefore] = [min, max]
    if (highest > 0) max = bestEnd((end) => error({ min, max: end }), highest)
    if (lowest < 0) min = -bestEnd((end) => error({ min: -end, max }), -lowest)
    if (min === minBefore && max === maxBefore) break
  }
  return within({ min, max }, observed)
}

/** Where between 0 and `most` the error is smallest; `most` itself when nothing is better. */
function bestEnd(error: (end: number) => number, most: number): number {
  let best = most
  let smallest = error(most)
  const consider = (end: number) => {
    const found = error(end)
    if (found < smallest) [best, smallest] = [end, found]
  }
  for (let step = 1; step <= OCTAVES * STEPS_PER_OCTAVE; step++) consider(most * 2 ** (-step / STEPS_PER_OCTAVE))
  const ratio = 2 ** (1 / STEPS_PER_OCTAVE)
  const lower = best / ratio
  const upper = Math.min(most, best * ratio)
  for (let step = 1; step < REFINEMENTS; step++) consider(lower + ((upper - lower) * step) / REFINEMENTS)
  return best
}

/** Sum of squared errors over all values by range. */
function quantizationError(
  bins: HistogramBins,
  observed: ValueRange,
  type: QuantizedType,
  symmetric: boolean,
): (range: ValueRange) => number {
  const above = new Tail(bins, observed)
  const below = new Tail(mirrored(bins), { min: -observed.max, max: -observed.min })
  const limits = integerLimits(type, symmetric)
  const rounded = bins.counts.reduce((sum, held) => sum + held, 0) - zeroSpike(bins)
  return (range) => {
    const { scale, zeroPoint } = affineParameters(range, type, { symmetric })
    const high = above.beyond((limits.max - zeroPoint) * scale)
    const low = below.beyond((zeroPoint - limits.min) * scale)
    return ((scale * scale) / 12) * Math.max(0, rounded - high.count - low.count) + high.squares + low.squares
  }
}

/** Number and squared distance of the values above a bound, by running sums from the top: each question costs the same. */
class Tail {
  private readonly bins: HistogramBins
  private readonly observed: ValueRange
  /** Sums of 1, x and x² over bin i and all above it. */
  private readonly sums: readonly [Float64Array, Float64Array, Float64Array]

  constructor(bins: HistogramBins, observed: ValueRange) {
    this.bins = bins
    this.observed = observed
    const size = bins.counts.length
    const [count, sum, squares] = [new Float64Array(size + 1), new Float64Array(size + 1), new Float64Array(size + 1)]
    for (let index = size - 1; index >= 0; index--) {
      const held = bins.counts[index] as number
      const { min, max } = binEdges(bins, index, observed)
      const middle = (min + max) / 2
      count[index] = (count[index + 1] as number) + held
      sum[index] = (sum[index + 1] as number) + held * middle
      squares[index] = (squares[index + 1] as number) + held * (middle * middle + ((max - min) * (max - min)) / 12)
    }
    this.sums = [count, sum, squares]
  }

  /** Number of the values above `bound` and Σ (x − bound)² over them. */
  beyond(bound: number): { readonly count: number; readonly squares: number } {
    const { width, first, counts } = this.bins
    const [count, sum, squares] = this.sums
    const bin = Math.floor(bound / width) - first
    if (bin >= counts.length) return { count: 0, squares: 0 }
    const next = Math.max(0, bin + 1)
    const full = {
      count: count[next] as number,
      squares: Math.max(0, (squares[next] as number) - 2 * bound * (sum[next] as number) + bound * bound * (count[next] as number)),
    }
    if (bin < 0) return full
    const { min, max } = binEdges(this.bins, bin, this.observed)
    if (max <= bound) return full
    // What lies beyond is spread evenly between two distances from the bound.
    const near = Math.max(0, min - bound)
    const far = max - bound
    const held = (counts[bin] as number) * (max > min ? (far - near) / (max - min) : 1)
    return { count: full.count + held, squares: full.squares + (held * (near * near + near * far + far * far)) / 3 }
  }
}
