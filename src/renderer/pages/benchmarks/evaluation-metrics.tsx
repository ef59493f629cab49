import type { Evaluation, Metrics } from '../../../contract/evaluation.ts'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { metricInterval, metricLabel, metricValue } from '../../text/metric-text.ts'
import classes from './runs.module.css'

/** In the order they are read. */
const order: readonly (keyof Metrics)[] = [
  'accuracy',
  'top5',
  'precisionMacro',
  'recallMacro',
  'f1Macro',
  'calibrationError',
  'r2',
  'mae',
  'rmse',
  'maxError',
  'sqnrDb',
  'cosine',
  'maxAbsDiff',
  'agreement',
]

/** Every metric that was measured, with its 95 % interval where it has one. */
export function EvaluationMetrics({ evaluation: { metrics, samples, classification, regression } }: { evaluation: Evaluation }) {
  const rows = order.filter((metric) => metrics[metric] !== undefined && !(metrics[metric] === null && metric !== 'sqnrDb'))
  const asides = [
    `${formatCount(samples)} samples`,
    ...(classification ? [`${formatCount(classification.correct)} right`] : []),
    ...(classification && classification.unanswered > 0
      ? [`${formatCount(classification.unanswered)} without a number for an answer`]
      : []),
    ...(regression ? [`mean of predicted − actual ${metricValue('bias', regression.bias)}`] : []),
  ]
  return (
    <Section title="Metrics" aside={asides.join(' · ')} flush>
      <table className={tableClasses.table} data-testid="evaluation-metrics">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" className={classes.right}>
              Value
            </th>
            <th scope="col" className={classes.right}>
              95 % interval
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((metric) => {
            const interval = metricInterval(metrics, metric)
            const value = metrics[metric]
            return (
              <tr key={metric} data-metric={metric} data-value={value === null ? '' : String(value)}>
                <td>{metricLabel(metric)}</td>
                <td className={`${classes.right} es-num`}>{metricValue(metric, typeof value === 'number' ? value : null)}</td>
                <td className={`${classes.right} es-num es-dim`}>
                  {interval ? `[${metricValue(metric, interval[0])}, ${metricValue(metric, interval[1])}]` : ''}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Section>
  )
}
