import type { Comparison } from '../../../contract/measurement.ts'
import { html, type Markup } from '../blocks/html.ts'
import { plainLine } from '../plain-text.ts'
import { formatInterval, formatRatio } from '../quantities.ts'
import { comparedRows } from '../verdicts.ts'
import { linearScale, px } from './chart-scale.ts'

const WIDTH = 720
const LEFT = 30
const RIGHT = 20
const ROW = 46
const BOTTOM = 44
/** Names longer than this would run out of the drawing. */
const NAME_LIMIT = 60

/** Speed-up of every build with its 95 % interval against the line at 1, one row each. */
export function speedupChart(comparison: Comparison): Markup {
  const rows = comparedRows(comparison).flatMap((row) => (row.speedup ? [{ row, speedup: row.speedup }] : []))
  const ends = rows.flatMap(({ speedup }) => [...speedup.ci95, speedup.estimate])
  const x = linearScale(Math.min(1, ...ends), Math.max(1, ...ends), LEFT, WIDTH - RIGHT, 6)
  const base = rows.length * ROW + 8
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${base + BOTTOM}" role="img" aria-label="Speed-up against the baseline with 95 % intervals">
<g class="axis">${x.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${px(x.at(tick))}" x2="${px(x.at(tick))}" y1="4" y2="${base}"/><text class="middle" x="${px(x.at(tick))}" y="${base + 16}">${x.label(tick)}×</text>`,
  )}<line class="unity" x1="${px(x.at(1))}" x2="${px(x.at(1))}" y1="4" y2="${base}"/><text class="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${base + 36}">speed against ${plainLine(comparison.baseline, NAME_LIMIT)} (right of 1× is faster)</text></g>
${rows.map(({ row, speedup }, index) => {
  const y = index * ROW + 36
  const [low, high] = speedup.ci95
  return html`<g class="series-${comparison.rows.indexOf(row) % 8}"><text class="label" x="${LEFT + 8}" y="${y - 14}">${comparison.rows.indexOf(row) + 1}  ${plainLine(row.model, NAME_LIMIT)}: ${formatRatio(speedup.estimate)} (${formatInterval(speedup.ci95, formatRatio)}), ${speedup.verdict}</text>
<line class="whisker" x1="${px(x.at(low))}" x2="${px(x.at(high))}" y1="${y}" y2="${y}"/><circle cx="${px(x.at(speedup.estimate))}" cy="${y}" r="5"/></g>
`
})}</svg>`
}
