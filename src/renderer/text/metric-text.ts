import { headlineMetric, type Metrics } from '../../contract/evaluation.ts'
import { formatSignificant, isShowable, NOTHING } from '../format/numbers.ts'
import { formatDecibels, formatPercent, formatPoints } from '../format/shares.ts'

/** Metrics that are shares of samples: written as percentages, differences in points. */
const shares: ReadonlySet<string> = new Set([
  'accuracy',
  'top5',
  'agreement',
  'precisionMacro',
  'recallMacro',
  'f1Macro',
  'calibrationError',
])

const labels: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy',
  top5: 'Top-5 accuracy',
  agreement: 'Same top class',
  precisionMacro: 'Precision, macro',
  recallMacro: 'Recall, macro',
  f1Macro: 'F1, macro',
  calibrationError: 'Calibration error',
  r2: 'R²',
  mae: 'MAE',
  rmse: 'RMSE',
  maxError: 'Largest error',
  sqnrDb: 'SQNR',
  cosine: 'Cosine',
  maxAbsDiff: 'Largest difference',
}

/** What a metric is called. */
export function metricLabel(metric: string): string {
  return labels[metric] ?? metric
}

/** A value of a metric with its unit. */
export function metricValue(metric: string, value: number | null | undefined): string {
  if (shares.has(metric)) return formatPercent(value)
  if (metric === 'sqnrDb') return formatDecibels(value ?? null)
  if (metric === 'cosine') return isShowable(value) ? value.toFixed(6) : NOTHING
  return isShowable(value) ? formatSignificant(value) : NOTHING
}

/** A difference of two values of a metric, signed, with its unit. */
export function metricDifferenceText(metric: string, difference: number): string {
  if (shares.has(metric)) return formatPoints(difference)
  const unit = metric === 'sqnrDb' ? ' dB' : ''
  return `${difference > 0 ? '+' : ''}${formatSignificant(difference)}${unit}`
}

/** The interval that belongs to a metric; undefined where it has none. */
export function metricInterval(metrics: Metrics, metric: string): readonly [number, number] | undefined {
  const intervals: Readonly<Record<string, readonly [number, number] | null | undefined>> = {
    accuracy: metrics.accuracyCi95,
    top5: metrics.top5Ci95,
    agreement: metrics.agreementCi95,
    r2: metrics.r2Ci95,
    mae: metrics.maeCi95,
    rmse: metrics.rmseCi95,
  }
  return intervals[metric] ?? undefined
}

/** The headline metric in words: "Accuracy 91.23%"; identical outputs have no SQNR, and are said to be identical. */
export function headlineText(metrics: Metrics | null): string {
  if (metrics === null) return 'not measured'
  const headline = headlineMetric(metrics)
  if (headline) return `${metricLabel(headline.metric)} ${metricValue(headline.metric, headline.value)}`
  return metrics.sqnrDb === null ? 'identical to the baseline' : 'not measured'
}
