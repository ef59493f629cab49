import { bootstrapStatistics, percentileInterval, sumsInGroups } from '../statistics/bootstrap.ts'
import { type ResidualBins, residualBins } from './residual-bins.ts'

/** What is found for one of the values a model regresses. */
interface OutputErrors {
  readonly output: number
  readonly r2: number | null
  readonly mae: number
  readonly rmse: number
  readonly maxError: number
}

/** Errors over all values. Fields are those of the contract's metrics and `regressionDetailSchema`. */
export interface RegressionSummary {
  /**
   * 1 − Σ(predicted − actual)² ÷ Σ(actual − mean)², the mean over the outputs whose targets vary (scikit-learn's `uniform_average`); null
   * when none does.
   */
  readonly r2: number | null
  readonly r2Ci95: [number, number] | null
  readonly mae: number
  readonly maeCi95: [number, number]
  /** Root of the mean square over all values of all outputs. */
  readonly rmse: number
  readonly rmseCi95: [number, number]
  readonly maxError: number
  /** Mean of predicted − actual. */
  readonly bias: number
  readonly perOutput: OutputErrors[]
  readonly residuals: ResidualBins
}

/** Sums for the interval of R² are kept for each output; beyond this many resampling them would take longer than the evaluation. */
const MOST_OUTPUTS_FOR_R2_INTERVAL = 512

/** Fixed, so that the same samples always give the same interval. */
const SEED = 20_260_302

/**
 * Errors of predicted against actual values, with 95 % percentile-bootstrap intervals over samples (`bootstrap.ts`; the values of one
 * sample stay together). The interval of R² is null where R² is, and for more than 512 outputs.
 *
 * @param actual row-major [samples, width]; `predicted` the same, all finite
 * @throws RangeError when the lengths differ or do not fit the width, or there are no samples
 */
export function summarizeRegression(actual: Float32Array, predicted: Float32Array, width: number): RegressionSummary {
  const samples = actual.length / width
  if (samples === 0 || !Number.isInteger(samples) || predicted.length !== actual.length) {
    throw new RangeError(`${actual.length} actual and ${predicted.length} predicted values, ${width} a sample`)
  }
  const outputs = Array.from({ length: width }, (_, output) => outputSums(actual, predicted, output, width))
  const total = (field: 'squares' | 'absolute' | 'bias') => outputs.reduce((sum, entry) => sum + entry[field], 0)
  const perOutput = outputs.map(({ squares, absolute, largest, spread }, output) => ({
    output,
    r2: spread > 0 ? 1 - squares / spread : null,
    mae: absolute / samples,
    rmse: Math.sqrt(squares / samples),
    maxError: largest,
  }))
  return {
    r2: meanOf(perOutput.flatMap(({ r2 }) => (r2 === null ? [] : [r2]))),
    mae: total('absolute') / actual.length,
    rmse: Math.sqrt(total('squares') / actual.length),
    maxError: outputs.reduce((largest, entry) => Math.max(largest, entry.largest), 0),
    bias: total('bias') / actual.length,
    ...intervals(actual, predicted, width, outputs),
    perOutput,
    residuals: residualBins(actual, predicted),
  }
}

interface OutputSums {
  readonly mean: number
  /** Σ(actual − mean)²; exactly 0 when all are equal. */
  readonly spread: number
  readonly squares: number
  readonly absolute: number
  readonly bias: number
  readonly largest: number
}

function outputSums(actual: Float32Array, predicted: Float32Array, output: number, width: number): OutputSums {
  let [sum, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = output; i < actual.length; i += width) {
    const value = actual[i]!
    sum += value
    if (value < low) low = value
    if (value > high) high = value
  }
  const mean = (sum * width) / actual.length
  let [spread, squares, absolute, bias, largest] = [0, 0, 0, 0, 0]
  for (let i = output; i < actual.length; i += width) {
    const error = predicted[i]! - actual[i]!
    spread += (actual[i]! - mean) ** 2
    squares += error * error
    absolute += Math.abs(error)
    bias += error
    if (Math.abs(error) > largest) largest = Math.abs(error)
  }
  // The mean of equal values may be off in its last bit; they still do not vary.
  return { mean, spread: low === high ? 0 : spread, squares, absolute, bias, largest }
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Sums of a sample: values, |error|, error²; then for each output that varies error², actual − mean, (actual − mean)². */
function intervals(
  actual: Float32Array,
  predicted: Float32Array,
  width: number,
  outputs: readonly OutputSums[],
): Pick<RegressionSummary, 'r2Ci95' | 'maeCi95' | 'rmseCi95'> {
  const varying = width > MOST_OUTPUTS_FOR_R2_INTERVAL ? [] : outputs.flatMap(({ spread }, output) => (spread > 0 ? [output] : []))
  const grouped = sumsInGroups(
    actual.length / width,
    3 + 3 * varying.length,
    (sample, sums, at) => {
      for (let i = sample * width; i < (sample + 1) * width; i++) {
        const error = predicted[i]! - actual[i]!
        sums[at] = sums[at]! + 1
        sums[at + 1] = sums[at + 1]! + Math.abs(error)
        sums[at + 2] = sums[at + 2]! + error * error
      }
      varying.forEach((output, index) => {
        const [value, own] = [actual[sample * width + output]!, at + 3 + 3 * index]
        const deviation = value - outputs[output]!.mean
        sums[own] = sums[own]! + (predicted[sample * width + output]! - value) ** 2
        sums[own + 1] = sums[own + 1]! + deviation
        sums[own + 2] = sums[own + 2]! + deviation * deviation
      })
    },
    SEED,
  )
  const statistics = (totals: Float64Array) => {
    const values = totals[0]!
    let r2 = 0
    for (let own = 3; own < totals.length; own += 3) {
      const spread = totals[own + 2]! - (totals[own + 1]! ** 2 * width) / values
      // A resample may hold equal values only: nothing varies in it but the last bits of the sums.
      const rounding = (values / width) * Number.EPSILON * totals[own + 2]!
      r2 += spread > rounding ? 1 - totals[own]! / spread : Number.NaN
    }
    return [r2 / varying.length, totals[1]! / values, Math.sqrt(totals[2]! / values)]
  }
  const [r2, mae, rmse] = bootstrapStatistics(grouped, statistics, SEED).map(percentileInterval)
  return { r2Ci95: varying.length === 0 ? null : (r2 ?? null), maeCi95: mae as [number, number], rmseCi95: rmse as [number, number] }
}
