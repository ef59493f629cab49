import { bootstrapPValue, bootstrapStatistics, percentileInterval, sumsInGroups, totalSums } from './bootstrap.ts'
import { exactMcNemar } from './mcnemar.ts'
import { pairedDifferenceInterval } from './paired-proportions.ts'

/** What two evaluations are compared by. The shape of the contract's `evaluateResultSchema`. */
export interface EvaluatedModel {
  readonly task: 'classification' | 'regression' | 'parity'
  readonly samples: number
  readonly metrics: { readonly sqnrDb?: number | null | undefined }
  readonly perSample: Readonly<Record<string, Float32Array | Int32Array>>
}

/** A metric of a build against the baseline's. The shape of the contract's `metricDifferenceSchema`. */
export interface MetricDifference {
  readonly metric: 'accuracy' | 'mae' | 'rmse' | 'sqnrDb'
  /** Build minus baseline. */
  readonly difference: number
  readonly ci95: [number, number] | null
  readonly pValue: number | null
  readonly test: 'mcnemar' | 'paired bootstrap' | 'none'
}

/** Fixed, so that the same samples always give the same interval. */
const SEED = 20_260_301

/**
 * Compares two evaluations on the same samples, pair by pair.
 *
 * Classification: accuracy, with Newcombe's interval for paired shares and the exact McNemar test. Regression: root mean square or mean
 * absolute error over all values, with a percentile bootstrap over samples (both errors of a sample stay together) and its p-value.
 * Parity: signal to noise against whatever each was compared with, without a test.
 *
 * @param error which error of a regression; the root mean square ranks models as R² does
 * @returns `null` when the two have no metric in common (different tasks, or outputs identical to those compared with)
 * @throws RangeError when they were not evaluated on the same samples
 */
export function metricDifference(baseline: EvaluatedModel, build: EvaluatedModel, error: 'rmse' | 'mae' = 'rmse'): MetricDifference | null {
  if (baseline.task !== build.task) return null
  if (baseline.samples !== build.samples) throw new RangeError(`${baseline.samples} samples and ${build.samples} cannot be paired`)
  if (build.task === 'classification') return accuracyAgainst(baseline, build)
  if (build.task === 'regression') return errorAgainst(baseline, build, error)
  const [before, after] = [baseline.metrics.sqnrDb ?? null, build.metrics.sqnrDb ?? null]
  return before === null || after === null ? null : { metric: 'sqnrDb', difference: after - before, ci95: null, pValue: null, test: 'none' }
}

function accuracyAgainst(baseline: EvaluatedModel, build: EvaluatedModel): MetricDifference {
  const labels = sameValues(baseline, build, 'labels')
  const [before, after] = [valuesOf(baseline, 'predictions'), valuesOf(build, 'predictions')]
  let [both, onlyFirst, onlySecond] = [0, 0, 0]
  for (let i = 0; i < labels.length; i++) {
    const [first, second] = [before[i] === labels[i], after[i] === labels[i]]
    if (first && second) both++
    else if (first) onlyFirst++
    else if (second) onlySecond++
  }
  return {
    metric: 'accuracy',
    difference: (onlySecond - onlyFirst) / labels.length,
    ci95: pairedDifferenceInterval({ both, onlyFirst, onlySecond, neither: labels.length - both - onlyFirst - onlySecond }),
    pValue: exactMcNemar(onlyFirst, onlySecond),
    test: 'mcnemar',
  }
}

function errorAgainst(baseline: EvaluatedModel, build: EvaluatedModel, error: 'rmse' | 'mae'): MetricDifference {
  const actual = sameValues(baseline, build, 'actual')
  const [before, after] = [valuesOf(baseline, 'predicted'), valuesOf(build, 'predicted')]
  const width = actual.length / build.samples
  const size = error === 'rmse' ? (value: number) => value * value : Math.abs
  const grouped = sumsInGroups(
    build.samples,
    3,
    (sample, sums, at) => {
      for (let i = sample * width; i < (sample + 1) * width; i++) {
        sums[at] = sums[at]! + size(before[i]! - actual[i]!)
        sums[at + 1] = sums[at + 1]! + size(after[i]! - actual[i]!)
      }
      sums[at + 2] = sums[at + 2]! + width
    },
    SEED,
  )
  const mean = error === 'rmse' ? Math.sqrt : (value: number) => value
  const difference = ([first, second, values]: Float64Array) => mean(second! / values!) - mean(first! / values!)
  const [resampled] = bootstrapStatistics(grouped, (totals) => [difference(totals)], SEED) as [Float64Array]
  return {
    metric: error,
    difference: difference(totalSums(grouped)),
    ci95: percentileInterval(resampled) ?? null,
    pValue: bootstrapPValue(resampled),
    test: 'paired bootstrap',
  }
}

/** An array both must have alike: the truth. */
function sameValues(baseline: EvaluatedModel, build: EvaluatedModel, name: string): Float32Array | Int32Array {
  const [first, second] = [valuesOf(baseline, name), valuesOf(build, name)]
  const row = first.length === second.length ? second.findIndex((value, index) => value !== first[index]) : 0
  if (row >= 0) throw new RangeError(`the evaluations were not made on the same samples: their ${name} differ`)
  return second
}

function valuesOf({ perSample, task }: EvaluatedModel, name: string): Float32Array | Int32Array {
  const values = perSample[name]
  if (!values || values.length === 0) throw new RangeError(`a ${task} without its ${name} cannot be compared`)
  return values
}
