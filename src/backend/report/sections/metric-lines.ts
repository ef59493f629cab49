import type { Metrics } from '../../../contract/evaluation.ts'
import { formatDecibels, formatInterval, formatPercent, formatSignificant, NOTHING } from '../quantities.ts'

/** A metric as a line of a table. */
interface MetricLine {
  readonly label: string
  readonly cell: (metrics: Metrics) => string
}

interface MetricForm {
  readonly metric: keyof Metrics
  readonly label: string
  readonly cell: (metrics: Metrics) => string
}

const share = (
  metric: 'accuracy' | 'top5' | 'agreement' | 'precisionMacro' | 'recallMacro' | 'calibrationError',
  label: string,
): MetricForm => ({
  metric,
  label,
  cell: (metrics) => formatPercent(metrics[metric]),
})
const plain = (metric: 'f1Macro' | 'r2' | 'mae' | 'rmse' | 'maxError' | 'maxAbsDiff', label: string): MetricForm => ({
  metric,
  label,
  cell: (metrics) => formatSignificant(metrics[metric]),
})
const interval = (
  metric: 'accuracyCi95' | 'top5Ci95' | 'agreementCi95' | 'r2Ci95' | 'maeCi95' | 'rmseCi95',
  label: string,
  format: (value: number) => string,
): MetricForm => ({ metric, label, cell: (metrics) => formatInterval(metrics[metric], format) })

/** Every metric there is, in the order readers look for them. */
const forms: readonly MetricForm[] = [
  share('accuracy', 'top-1'),
  interval('accuracyCi95', '95 % interval', formatPercent),
  share('top5', 'top-5'),
  interval('top5Ci95', 'top-5, 95 % interval', formatPercent),
  plain('f1Macro', 'F1, macro'),
  share('precisionMacro', 'precision, macro'),
  share('recallMacro', 'recall, macro'),
  share('calibrationError', 'calibration error'),
  plain('r2', 'R²'),
  interval('r2Ci95', 'R², 95 % interval', formatSignificant),
  plain('mae', 'mean absolute error'),
  interval('maeCi95', 'mean absolute error, 95 % interval', formatSignificant),
  plain('rmse', 'root mean square error'),
  interval('rmseCi95', 'root mean square error, 95 % interval', formatSignificant),
  plain('maxError', 'largest error'),
  { metric: 'sqnrDb', label: 'signal to noise', cell: ({ sqnrDb }) => (sqnrDb === undefined ? NOTHING : formatDecibels(sqnrDb)) },
  { metric: 'cosine', label: 'cosine', cell: ({ cosine }) => (cosine === undefined ? NOTHING : cosine.toFixed(6)) },
  plain('maxAbsDiff', 'largest difference of an output'),
  share('agreement', 'same top class as the baseline'),
  interval('agreementCi95', 'same top class, 95 % interval', formatPercent),
]

/** The metrics that at least one of the evaluations has; null counts where it says something (identical outputs). */
export function metricLines(measured: readonly Metrics[]): MetricLine[] {
  return forms.filter(({ metric }) =>
    measured.some((metrics) => metrics[metric] !== undefined && (metrics[metric] !== null || metric === 'sqnrDb')),
  )
}
