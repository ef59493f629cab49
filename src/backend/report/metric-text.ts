import { headlineMetric, type MetricDifference, type Metrics } from '../../contract/evaluation.ts'
import { formatDecibels, formatInterval, formatPercent, formatPoints, formatPValue, formatSignificant, NOTHING } from './quantities.ts'

/** What each headline metric is called. */
const metricNames = { accuracy: 'accuracy', r2: 'R²', mae: 'MAE', rmse: 'RMSE', sqnrDb: 'SQNR' } as const

/** The number an evaluation is known by, with its name where it is not an accuracy: `93.05 %`, `R² 0.912`, `SQNR 34.1 dB`. */
export function headlineText(metrics: Metrics | null | undefined): string {
  if (!metrics) return NOTHING
  const found = headlineMetric(metrics)
  if (!found) return metrics.sqnrDb === null ? 'identical' : NOTHING
  if (found.metric === 'accuracy') return formatPercent(found.value)
  return `${metricNames[found.metric]} ${found.metric === 'sqnrDb' ? formatDecibels(found.value) : formatSignificant(found.value)}`
}

/** One metric by its name, as cells of a matrix have it. */
export function metricValueText(metric: { readonly name: string; readonly value: number } | null): string {
  if (!metric) return NOTHING
  if (metric.name === 'accuracy') return formatPercent(metric.value)
  if (metric.name === 'sqnrDb') return `${metricNames.sqnrDb} ${formatDecibels(metric.value)}`
  return `${Object.hasOwn(metricNames, metric.name) ? metricNames[metric.name as keyof typeof metricNames] : metric.name} ${formatSignificant(metric.value)}`
}

/** A difference against the baseline with its unit: `−0.15 points`, `RMSE +0.0123`. */
export function differenceText(difference: MetricDifference | null | undefined): string {
  if (!difference || difference.test === 'none') return NOTHING
  if (difference.metric === 'accuracy') return formatPoints(difference.difference)
  return `${metricNames[difference.metric]} ${signed(difference.difference)}`
}

/** How the difference was tested: `exact McNemar test, p = 0.03`, `paired bootstrap, 95 % interval −0.01 to 0.02`. */
export function differenceTest({ test, pValue, ci95 }: MetricDifference): string {
  if (test === 'mcnemar') return `exact McNemar test, ${formatPValue(pValue)}`
  return `paired bootstrap over samples, 95 % interval ${formatInterval(ci95 ?? undefined, signed)}`
}

function signed(value: number): string {
  return value > 0 ? `+${formatSignificant(value)}` : formatSignificant(value)
}
