import { type QuantizedType, unionRange, type ValueRange } from '../affine-parameters.ts'
import { entropyRange } from './entropy-range.ts'
import { mseRange } from './mse-range.ts'
import { percentileRange } from './percentile-range.ts'
import { type HistogramBins, TensorHistogram } from './tensor-histogram.ts'

/** Ways to choose the range of an activation tensor from what was seen of it. */
export type Calibrator = 'minmax' | 'moving-average' | 'percentile' | 'entropy' | 'mse'

/** What a calibrator goes by. */
export interface RangeChoice {
  readonly type: QuantizedType
  readonly symmetric: boolean
  /** Share of the values inside the range, in percent; for `percentile`. */
  readonly percentile: number
}

/** Weight of the newest feed in the moving average (ONNX Runtime's `averaging_constant`). */
const NEWEST_WEIGHT = 0.01

/** What was seen of one tensor: smallest and largest value, their moving averages, and a histogram where one is asked for. */
export class TensorStatistics {
  private range: ValueRange | undefined
  private readonly averages = { min: 0, max: 0, weight: 0 }
  private readonly histogram: TensorHistogram | undefined
  /** Ranges chosen since the last feed: searches take milliseconds, and mixed precision asks again for every trial. */
  private readonly choices = new Map<string, ValueRange>()

  /** @param bins of the histogram; none without it */
  constructor(bins?: number) {
    this.histogram = bins === undefined ? undefined : new TensorHistogram(bins)
  }

  /**
   * Adds what one feed showed. Feeds may come in any order.
   *
   * @param range smallest and largest value, NaN left out; infinite ones count
   * @param age how many feeds come after this one
   * @param values all of them, where there is a histogram
   */
  add(range: ValueRange, age: number, values?: Float32Array, mayHoldNaN = false): void {
    this.choices.clear()
    this.range = this.range ? unionRange(this.range, range) : range
    const weight = (1 - NEWEST_WEIGHT) ** age
    this.averages.min += weight * range.min
    this.averages.max += weight * range.max
    this.averages.weight += weight
    // A tensor with infinite values gets no 8-bit range, whatever its histogram.
    if (values && this.histogram && this.isFinite()) this.histogram.add(values, range, mayHoldNaN)
  }

  /** Smallest and largest value, `undefined` when there was none. */
  seen(): ValueRange | undefined {
    return this.range
  }

  /**
   * The range a calibrator chooses: within the smallest and largest value seen, `undefined` when there was none, with an infinite end when
   * a value was infinite. It need not hold zero: `affineParameters` extends it.
   *
   * moving-average: m = Σ 0.99^age · x / Σ 0.99^age of the feeds' own smallest (largest) values x. That is ONNX Runtime's
   * m ← m + 0.01 · (x − m) between feeds, but without the weight it leaves on the first feed (0.99^31 = 73 % after 32 feeds), which is
   * divided out as in Adam (Kingma and Ba, 2015, section 3). So for few feeds it is about the mean of their extremes.
   * Worked example: largest values 4, then 2: (0.99 · 4 + 2) / 1.99 = 2.995.
   *
   * @throws Error when the calibrator needs a histogram and none was collected
   */
  chosen(calibrator: Calibrator, how: RangeChoice): ValueRange | undefined {
    const { range } = this
    if (!range || calibrator === 'minmax' || !this.isFinite()) return range
    if (calibrator === 'moving-average') return this.average(range)
    const key = [calibrator, how.type, how.symmetric, how.percentile].join()
    const known = this.choices.get(key)
    if (known) return known
    const bins = this.histogram?.seen()
    if (!bins) throw new Error(`calibrator ${calibrator} needs histograms, none were collected`)
    const found = searched(calibrator, bins, range, how)
    this.choices.set(key, found)
    return found
  }

  private average(range: ValueRange): ValueRange {
    const { min, max, weight } = this.averages
    // Weights of feeds long past round to zero.
    if (weight === 0) return range
    // Rounding may carry an average of equal values past them.
    const average = (sum: number) => Math.min(Math.max(sum / weight, range.min), range.max)
    return { min: average(min), max: average(max) }
  }

  private isFinite(): boolean {
    return this.range !== undefined && Number.isFinite(this.range.min) && Number.isFinite(this.range.max)
  }
}

function searched(
  calibrator: 'percentile' | 'entropy' | 'mse',
  bins: HistogramBins,
  range: ValueRange,
  { type, symmetric, percentile }: RangeChoice,
): ValueRange {
  switch (calibrator) {
    case 'percentile':
      return percentileRange(bins, range, percentile, symmetric)
    case 'entropy':
      return entropyRange(bins, range, symmetric)
    case 'mse':
      return mseRange(bins, range, type, symmetric)
  }
}
