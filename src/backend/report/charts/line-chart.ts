import { html, Markup } from '../blocks/html.ts'
import { plainLine } from '../plain-text.ts'
import { drawing, horizontalAxis, USUAL_HEIGHT, usualFrame, verticalAxis } from './axes.ts'
import { linearScale, px, type Scale } from './chart-scale.ts'

/** A line of a chart. */
export interface Line {
  readonly name: string
  /** Decides its colour. */
  readonly series: number
  readonly points: readonly { readonly x: number; readonly y: number; readonly ci95?: readonly [number, number] | undefined }[]
}

interface LineChartOptions {
  readonly label: string
  readonly xTitle: string
  readonly yTitle: string
  /** Evenly spaced positions with names, in place of a numeric axis; `x` then counts them from 0. */
  readonly xNames?: readonly string[]
  /** Marks every point; for a few of them. */
  readonly marks?: boolean
  /** Keeps zero on the vertical axis, where the height of a line is read as an amount. */
  readonly fromZero?: boolean
}

const LEGEND_LINE = 18
const NAME_LIMIT = 80
/** Numbers and names below a horizontal axis that fit beside each other, and how long those names may be. */
const MAX_NUMBERS = 16
const MAX_NAMES = 7
const AXIS_NAME_LIMIT = 13

/** Lines over a common horizontal axis, with a legend below when there are several. */
export function lineChart(lines: readonly Line[], options: LineChartOptions): Markup {
  const points = lines.flatMap((line) => line.points)
  const heights = points.flatMap(({ y, ci95 }) => (ci95 ? [y, ...ci95] : [y]))
  const { left, right, top, bottom } = usualFrame
  const x = options.xNames
    ? namedScale(options.xNames, left, right)
    : linearScale(...extent(points.map((point) => point.x)), left, right, 7)
  const [low, high] = extent(heights)
  const y = linearScale(options.fromZero ? Math.min(0, low) : low, high, bottom, top)
  const legend = lines.length > 1 ? lines.length * LEGEND_LINE + 8 : 0
  return drawing(
    USUAL_HEIGHT + legend,
    options.label,
    html`
${horizontalAxis(x, options.xTitle)}${verticalAxis(y, options.yTitle)}
${lines.map((line) => lineMarkup(line, x, y, options.marks ?? false))}${
  legend > 0 &&
  lines.map((line, index) => {
    const baseline = USUAL_HEIGHT + (index + 1) * LEGEND_LINE - 4
    return html`<g class="series-${line.series % 8}"><line class="whisker" x1="${left}" x2="${left + 24}" y1="${baseline - 4}" y2="${baseline - 4}"/><text x="${left + 32}" y="${baseline}">${plainLine(line.name, NAME_LIMIT)}</text></g>`
  })
}`,
  )
}

function lineMarkup({ series, points }: Line, x: Scale, y: Scale, marks: boolean): Markup {
  const path = points.map((point) => `${px(x.at(point.x))},${px(y.at(point.y))}`).join(' ')
  return html`<g class="series-${series % 8}">${points.map(
    ({ x: at, ci95 }) =>
      ci95 !== undefined && html`<line x1="${px(x.at(at))}" x2="${px(x.at(at))}" y1="${px(y.at(ci95[0]))}" y2="${px(y.at(ci95[1]))}"/>`,
  )}<polyline class="line" points="${new Markup(path)}"/>${
    marks && points.map((point) => html`<circle cx="${px(x.at(point.x))}" cy="${px(y.at(point.y))}" r="3.5"/>`)
  }</g>
`
}

function namedScale(names: readonly string[], from: number, to: number): Scale {
  const step = (to - from) / Math.max(1, names.length)
  const every = Math.ceil(names.length / (names.every((name) => name.length <= 5) ? MAX_NUMBERS : MAX_NAMES))
  return {
    ticks: names.map((_, index) => index).filter((index) => index % every === 0),
    at: (index) => from + (index + 0.5) * step,
    label: (index) => endOf(plainLine(names[index] ?? '')),
  }
}

/** Names of layers differ at their ends. */
function endOf(name: string): string {
  return name.length <= AXIS_NAME_LIMIT ? name : `…${name.slice(1 - AXIS_NAME_LIMIT)}`
}

function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : [0, 1]
}
