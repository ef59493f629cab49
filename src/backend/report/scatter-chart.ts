import type { Comparison, ComparisonRow } from '../../contract/measurement.ts'
import { linearScale, px, type Scale } from './chart-scale.ts'
import { html, type Markup } from './html.ts'

const WIDTH = 720
const HEIGHT = 380
const LEFT = 70
const RIGHT = 20
const TOP = 20
const BOTTOM = 50

/**
 * Accuracy over median latency, better to the top right: the latency axis runs backwards. Whiskers are 95 % intervals; a point that
 * another one beats in both is grey. Points carry the number of their table row. Null when no row has an accuracy.
 */
export function scatterChart(comparison: Comparison): Markup | null {
  const points = comparison.rows.flatMap((row, index) => (row.metrics ? [{ row, index, metrics: row.metrics }] : []))
  if (points.length === 0) return null
  const latencies = points.flatMap(({ row }) => interval(row))
  const accuracies = points.flatMap(({ metrics }) => metrics.accuracyCi95)
  const x = linearScale(Math.min(...latencies), Math.max(...latencies), WIDTH - RIGHT, LEFT)
  const y = linearScale(Math.min(...accuracies) * 100, Math.max(...accuracies) * 100, HEIGHT - BOTTOM, TOP)
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Accuracy over median latency; better is top right">
${horizontalAxis(x, 'median latency, ms (faster to the right)')}
${verticalAxis(y, 'accuracy, %')}
${points.map(({ row, index, metrics }) => {
  const [low, high] = interval(row)
  const [worst, best] = metrics.accuracyCi95
  const cx = px(x.at(row.latencyMs.p50))
  const cy = px(y.at(metrics.accuracy * 100))
  const dominated = points.some((other) => other.row !== row && beats(other.row, row))
  return html`<g class="${dominated ? 'dominated' : `series-${index % 8}`}"><title>${index + 1} ${row.model}</title>
<line x1="${px(x.at(low))}" x2="${px(x.at(high))}" y1="${cy}" y2="${cy}"/><line x1="${cx}" x2="${cx}" y1="${px(y.at(worst * 100))}" y2="${px(y.at(best * 100))}"/>
<circle cx="${cx}" cy="${cy}" r="10"/><text class="number" x="${cx}" y="${cy + 4}">${index + 1}</text></g>
`
})}</svg>`
}

function interval(row: ComparisonRow): readonly [number, number] {
  return row.latencyMs.ci.p50 ?? [row.latencyMs.p50, row.latencyMs.p50]
}

/** At least as good in both, better in one. */
function beats(a: ComparisonRow, b: ComparisonRow): boolean {
  const accuracyA = a.metrics?.accuracy ?? 0
  const accuracyB = b.metrics?.accuracy ?? 0
  const noWorse = a.latencyMs.p50 <= b.latencyMs.p50 && accuracyA >= accuracyB
  return noWorse && (a.latencyMs.p50 < b.latencyMs.p50 || accuracyA > accuracyB)
}

function horizontalAxis(scale: Scale, title: string): Markup {
  const base = HEIGHT - BOTTOM
  return html`<g class="axis">${scale.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${px(scale.at(tick))}" x2="${px(scale.at(tick))}" y1="${TOP}" y2="${base}"/><text class="middle" x="${px(scale.at(tick))}" y="${base + 18}">${scale.label(tick)}</text>`,
  )}<text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}">${title}</text></g>`
}

function verticalAxis(scale: Scale, title: string): Markup {
  return html`<g class="axis">${scale.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(scale.at(tick))}" y2="${px(scale.at(tick))}"/><text class="end" x="${LEFT - 8}" y="${px(scale.at(tick) + 4)}">${scale.label(tick)}</text>`,
  )}<text class="middle" transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">${title}</text></g>`
}
