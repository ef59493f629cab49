import { html, type Markup } from '../blocks/html.ts'
import { plainLine } from '../plain-text.ts'
import { CHART_WIDTH, drawing } from './axes.ts'
import { px } from './chart-scale.ts'

/** A bar with its name and its value in words. */
export interface Bar {
  readonly name: string
  readonly value: number
  readonly words: string
}

const ROW = 24
const NAMES = 230
/** Room for the words behind the longest bar. */
const WORDS = 150
const NAME_LIMIT = 34

/** Horizontal bars from zero, in the order given. */
export function barChart(bars: readonly Bar[], label: string): Markup {
  const largest = bars.reduce((high, { value }) => Math.max(high, value), 0)
  const width = (value: number) => (largest > 0 ? (Math.max(0, value) / largest) * (CHART_WIDTH - NAMES - WORDS) : 0)
  return drawing(
    bars.length * ROW + 8,
    label,
    html`<g class="series-1">${bars.map(({ name, value, words }, index) => {
      const y = index * ROW + 4
      return html`<text class="end" x="${NAMES - 8}" y="${y + 14}">${plainLine(name, NAME_LIMIT)}</text><rect class="bar" x="${NAMES}" y="${y + 2}" width="${px(Math.max(1, width(value)))}" height="${ROW - 8}"/><text x="${px(NAMES + width(value) + 6)}" y="${y + 14}">${plainLine(words, NAME_LIMIT)}</text>
`
    })}</g>`,
  )
}
