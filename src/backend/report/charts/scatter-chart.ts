import { headlineMetric, type Metrics } from '../../../contract/evaluation.ts'
import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { dominators } from '../../../core/comparison/pareto.ts'
import { html, type Markup } from '../blocks/html.ts'
import { drawing, horizontalAxis, USUAL_HEIGHT, usualFrame, verticalAxis } from './axes.ts'
import { linearScale, px } from './chart-scale.ts'

type HeadlineName = NonNullable<ReturnType<typeof headlineMetric>>['metric']

const axisTitles: Readonly<Record<HeadlineName, string>> = {
  accuracy: 'accuracy, %',
  r2: 'R²',
  rmse: 'RMSE (lower is better)',
  sqnrDb: 'signal to noise, dB',
}

interface Point {
  readonly row: ComparisonRow
  readonly index: number
  readonly value: number
  readonly ci95: readonly [number, number]
}

/**
 * The metric of the task over median latency, better to the top right: the latency axis runs backwards, and so does that of an
 * error. Whiskers are 95 % intervals; a point that another one beats in both is grey. Points carry the number of their table row.
 * Null when no row has a metric.
 */
export function scatterChart(comparison: Comparison): Markup | null {
  const [first] = comparison.rows.flatMap(({ metrics }) => (metrics && headlineMetric(metrics)) ?? [])
  if (!first) return null
  const points = comparison.rows.flatMap((row, index) => pointOf(row, index, first.metric))
  const { left, right, top, bottom } = usualFrame
  const latencies = points.flatMap(({ row }) => latencyInterval(row))
  const values = points.flatMap(({ ci95 }) => ci95)
  const x = linearScale(Math.min(...latencies), Math.max(...latencies), right, left)
  const [from, to] = first.better === 'higher' ? [bottom, top] : [top, bottom]
  const y = linearScale(Math.min(...values), Math.max(...values), from, to)
  const sign = first.better === 'higher' ? 1 : -1
  const beaten = dominators(points.map(({ row, value }) => ({ latencyMs: row.latencyMs.p50, value: value * sign })))
  return drawing(
    USUAL_HEIGHT,
    `${axisTitles[first.metric]} over median latency; better is top right`,
    html`
${horizontalAxis(x, 'median latency, ms (faster to the right)')}
${verticalAxis(y, axisTitles[first.metric])}
${points.map(({ row, index, value, ci95 }, position) => {
  const [low, high] = latencyInterval(row)
  const cx = px(x.at(row.latencyMs.p50))
  const cy = px(y.at(value))
  return html`<g class="${beaten[position] !== null ? 'dominated' : `series-${index % 8}`}"><title>${index + 1} ${row.model}</title>
<line x1="${px(x.at(low))}" x2="${px(x.at(high))}" y1="${cy}" y2="${cy}"/><line x1="${cx}" x2="${cx}" y1="${px(y.at(ci95[0]))}" y2="${px(y.at(ci95[1]))}"/>
<circle cx="${cx}" cy="${cy}" r="10"/><text class="number" x="${cx}" y="${px(cy + 4)}">${index + 1}</text></g>
`
})}`,
  )
}

function pointOf(row: ComparisonRow, index: number, metric: HeadlineName): Point[] {
  const value = row.metrics?.[metric]
  if (!row.metrics || value === undefined || value === null) return []
  const scaled = metric === 'accuracy' ? 100 : 1
  const [low, high] = intervalOf(row.metrics, metric) ?? [value, value]
  return [{ row, index, value: value * scaled, ci95: [low * scaled, high * scaled] }]
}

function intervalOf(metrics: Metrics, metric: HeadlineName): readonly [number, number] | null | undefined {
  if (metric === 'accuracy') return metrics.accuracyCi95
  return metric === 'r2' ? metrics.r2Ci95 : metric === 'rmse' ? metrics.rmseCi95 : null
}

function latencyInterval(row: ComparisonRow): readonly [number, number] {
  return row.latencyMs.ci.p50 ?? [row.latencyMs.p50, row.latencyMs.p50]
}
