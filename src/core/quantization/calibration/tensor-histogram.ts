import type { ValueRange } from '../affine-parameters.ts'

/** Bins of equal width; bin i holds the values from (first + i)·width up to, not including, (first + i + 1)·width. */
export interface HistogramBins {
  /** A power of two. */
  readonly width: number
  /** Whole number of widths from zero to the first bin's lower edge. */
  readonly first: number
  readonly counts: Float64Array
}

/**
 * Bins of a tensor. At least half of them lie inside the range, so a tensor that goes to both sides alike has 2048 to 4096 for its
 * magnitudes: TensorRT searches clipping thresholds on 2048. 64 KiB a tensor.
 */
export const HISTOGRAM_BINS = 8192

/** float32 values have 24 significant bits: finer bins than that of the largest value would only stay empty. */
const SIGNIFICANT_BITS = 24
/** Exponent of the smallest float32. */
const SMALLEST_EXPONENT = -149

/**
 * Histogram of a stream of values whose range is not known before. When a value does not fit, the bins are merged in twos until it
 * does. Widths are powers of two and edges multiples of the width, so a bin of the wider histogram is exactly two of the narrower:
 * nothing is approximated, and the result is the histogram that one pass with the final width would have given, whatever the order.
 *
 * Worked example with 4 bins: the values 0.5 and 0.75 give width 1/8 with one value in [0.5, 0.625) and one in [0.75, 0.875); the value
 * 3 then makes the width 1 (0 to 3 need 4 bins), with two values in [0, 1) and one in [3, 4).
 */
export class TensorHistogram {
  private readonly bins: number
  private range: ValueRange | undefined
  private exponent = SMALLEST_EXPONENT
  private base = 0
  private counts = new Float64Array(0)

  constructor(bins = HISTOGRAM_BINS) {
    this.bins = bins
  }

  /**
   * @param range finite; exactly the smallest and largest of `values`, NaN left out
   * @param mayHoldNaN otherwise the test for NaN is spared
   */
  add(values: Float32Array, range: ValueRange, mayHoldNaN = false): void {
    this.makeRoom(range)
    const inverse = 2 ** -this.exponent
    if (mayHoldNaN) countNumbers(values, inverse, this.base, this.counts)
    else count(values, inverse, this.base, this.counts)
  }

  /** The bins that hold the range seen so far; `undefined` before the first value. */
  seen(): HistogramBins | undefined {
    if (!this.range) return undefined
    const first = binOf(this.range.min, this.exponent)
    const end = binOf(this.range.max, this.exponent) + 1
    return { width: 2 ** this.exponent, first, counts: this.counts.subarray(first - this.base, end - this.base) }
  }

  private makeRoom(added: ValueRange): void {
    const before = this.range
    const range = before ? { min: Math.min(before.min, added.min), max: Math.max(before.max, added.max) } : added
    if (before && range.min === before.min && range.max === before.max) return
    this.range = range
    const exponent = widthExponent(range, this.bins)
    const first = binOf(range.min, exponent)
    const needed = binOf(range.max, exponent) - first + 1
    if (before && exponent === this.exponent && first >= this.base && first + needed <= this.base + this.bins) return
    // The range in the middle: it may grow to either side before bins have to be moved again.
    const base = first - Math.floor((this.bins - needed) / 2)
    const counts = new Float64Array(this.bins)
    const merged = 2 ** (exponent - this.exponent)
    for (let index = 0; index < this.counts.length; index++) {
      const held = this.counts[index] as number
      if (held === 0) continue
      const bin = Math.floor((this.base + index) / merged) - base
      counts[bin] = (counts[bin] as number) + held
    }
    this.exponent = exponent
    this.base = base
    this.counts = counts
  }
}

/** The smallest e for which bins of width 2^e, laid from zero, cover the range with no more than `bins` of them. */
function widthExponent({ min, max }: ValueRange, bins: number): number {
  const largest = Math.max(-min, max)
  const finest = largest > 0 ? Math.floor(Math.log2(largest)) - (SIGNIFICANT_BITS - 1) : SMALLEST_EXPONENT
  const span = max - min
  // A width of span / bins or less needs more than `bins` bins: the search starts at or below the answer.
  let exponent = Math.max(SMALLEST_EXPONENT, finest, span > 0 ? Math.floor(Math.log2(span / bins)) : SMALLEST_EXPONENT)
  while (binOf(max, exponent) - binOf(min, exponent) >= bins) exponent++
  return exponent
}

function binOf(value: number, exponent: number): number {
  return Math.floor(value * 2 ** -exponent)
}

/** The hot loop of calibration: tens of millions of values pass here. */
function count(values: Float32Array, inverse: number, base: number, counts: Float64Array): void {
  for (let index = 0; index < values.length; index++) {
    const bin = (Math.floor((values[index] as number) * inverse) - base) | 0
    counts[bin] = (counts[bin] as number) + 1
  }
}

function countNumbers(values: Float32Array, inverse: number, base: number, counts: Float64Array): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (Number.isNaN(value)) continue
    const bin = Math.floor(value * inverse) - base
    counts[bin] = (counts[bin] as number) + 1
  }
}
