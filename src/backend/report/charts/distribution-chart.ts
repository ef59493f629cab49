import type { ComparisonRow } from '../../../contract/measurement.ts'
import { html, Markup } from '../blocks/html.ts'
import { plainLine } from '../plain-text.ts'
import { formatCount, formatCounted, formatMs } from '../quantities.ts'
import { linearScale, px, type Scale } from './chart-scale.ts'

const WIDTH = 720
const LEFT = 20
const RIGHT = 20
const STRIP = 96
const PLOT = 62
const BOTTOM = 44
const NAME_LIMIT = 60

/** Share of every model's samples that is drawn at least; the slow rest would squeeze it into a corner and is counted in words. */
const DRAWN_SHARE = 0.98

/** What is drawn of a model. */
export type DistributionStrip = Pick<ComparisonRow, 'model' | 'histogram' | 'latencyMs' | 'samples'>

/**
 * Latency distributions below each other on one axis, with lines at p50 and p95, in bins they share. What lies
 * beyond the drawn bins is said in words, with the slowest sample.
 */
export function distributionChart(rows: readonly DistributionStrip[]): Markup {
  const [first] = rows
  const edges = first?.histogram.edgesMs ?? []
  const drawn = drawnBins(rows)
  const x = linearScale(edges[0] ?? 0, edges[drawn] ?? 1, LEFT, WIDTH - RIGHT, 7)
  const base = rows.length * STRIP
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${base + BOTTOM}" role="img" aria-label="Latency distributions of all models on one axis">
<g class="axis">${x.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${px(x.at(tick))}" x2="${px(x.at(tick))}" y1="4" y2="${base}"/><text class="middle" x="${px(x.at(tick))}" y="${base + 16}">${x.label(tick)}</text>`,
  )}<text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${base + 36}">latency, ms</text></g>
${rows.map((row, index) => strip(row, index, drawn, x, rows.length > 1))}</svg>`
}

function strip(row: DistributionStrip, index: number, drawn: number, x: Scale, numbered: boolean): Markup {
  const { edgesMs, counts } = row.histogram
  const base = (index + 1) * STRIP - 6
  const highest = Math.max(1, ...counts.slice(0, drawn))
  const beyond = counts.slice(drawn).reduce((sum, count) => sum + count, 0)
  const path = counts
    .slice(0, drawn)
    .map((count, bin) => {
      const y = px(base - (count / highest) * PLOT)
      return `L${px(x.at(edgesMs[bin] ?? 0))} ${y}L${px(x.at(edgesMs[bin + 1] ?? 0))} ${y}`
    })
    .join('')
  const start = px(x.at(edgesMs[0] ?? 0))
  const end = px(x.at(edgesMs[drawn] ?? 0))
  const lines = (['p50', 'p95'] as const).flatMap((name) => {
    const value = row.latencyMs[name]
    return value === null || value > (edgesMs[drawn] ?? 0) ? [] : [{ name, value }]
  })
  const tail = beyond > 0 ? `; ${formatCount(beyond)} beyond ${formatMs(edgesMs[drawn])}, slowest ${formatMs(row.latencyMs.max)}` : ''
  return html`<g class="series-${index % 8}"><text class="label" x="${LEFT}" y="${index * STRIP + 16}">${numbered && html`${index + 1}  `}${plainLine(row.model, NAME_LIMIT)}: ${formatCounted(row.samples, 'sample')}${tail}</text>
<path class="area" d="M${start} ${base}${new Markup(path)}L${end} ${base}Z"/>${lines.map(
    ({ name, value }) =>
      html`<line class="quantile" x1="${px(x.at(value))}" x2="${px(x.at(value))}" y1="${base - PLOT - 2}" y2="${base}"/><text class="quantile-name" x="${px(x.at(value) + 3)}" y="${base - PLOT + 8}">${name}</text>`,
  )}</g>
`
}

/** How many bins from the left hold {@link DRAWN_SHARE} of every row, at most those that are equally wide (a last, wider one holds the slowest). */
function drawnBins(rows: readonly DistributionStrip[]): number {
  const needed = rows.map(({ histogram: { counts } }) => {
    const total = counts.reduce((sum, count) => sum + count, 0)
    let [held, bins] = [0, 0]
    while (bins < counts.length && held < total * DRAWN_SHARE) held += counts[bins++] ?? 0
    return bins
  })
  return Math.max(1, Math.min(evenBins(rows[0]?.histogram.edgesMs ?? []), Math.max(...needed)))
}

function evenBins(edges: readonly number[]): number {
  const bins = edges.length - 1
  const first = (edges[1] ?? 0) - (edges[0] ?? 0)
  const last = (edges[bins] ?? 0) - (edges[bins - 1] ?? 0)
  return last > first * 1.5 ? bins - 1 : bins
}
