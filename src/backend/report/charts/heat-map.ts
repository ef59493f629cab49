import { html, Markup } from '../blocks/html.ts'
import { plainLine } from '../plain-text.ts'
import { formatCount } from '../quantities.ts'
import { CHART_WIDTH, drawing } from './axes.ts'
import { px } from './chart-scale.ts'

/** Counts in cells. */
export interface HeatMap {
  readonly label: string
  /** Row-major, rows from the top. */
  readonly counts: readonly number[]
  readonly rowNames: readonly string[]
  readonly columnNames: readonly string[]
  readonly rowTitle: string
  readonly columnTitle: string
  /** What full colour stands for: the sum of the cell's row (shares of a class), or the fullest cell of all. */
  readonly full: 'row-sum' | 'largest'
}

const LEFT = 150
const TOP = 12
const WIDTH = CHART_WIDTH - LEFT - 20
const NAME_LIMIT = 18
/** More cells than this beside each other have no room for their numbers, */
const MAX_NUMBERED = 16
/** more than this none for all their names. */
const MAX_NAMED = 32
/** Cells are squares up to this size. */
const MAX_CELL = 40
/** From this share on a number stands out better in the colour of the paper. */
const HALF_FULL = 0.55
/** Steps of colour without numbers: more cannot be told apart. */
const SHADES = 20
/** A cell that holds something is never as pale as an empty one. */
const FAINTEST = 0.06

/** Cells coloured by their counts; where they are few the counts stand in them. Empty cells are left out. */
export function heatMap(map: HeatMap): Markup {
  const columns = map.columnNames.length
  const rows = map.rowNames.length
  const width = Math.min(MAX_CELL, WIDTH / columns)
  const height = Math.min(width, MAX_CELL)
  const bottom = TOP + rows * height
  const sums = map.rowNames.map((_, row) => map.counts.slice(row * columns, (row + 1) * columns).reduce((sum, count) => sum + count, 0))
  const largest = map.counts.reduce((high, count) => Math.max(high, count), 1)
  const shadeOf = (count: number, index: number) => {
    const share = count / (map.full === 'row-sum' ? Math.max(1, sums[Math.floor(index / columns)] ?? 1) : largest)
    return Math.max(FAINTEST, Math.min(1, share))
  }
  const cornerOf = (index: number) => [px(LEFT + (index % columns) * width), px(TOP + Math.floor(index / columns) * height)] as const
  const numberedCell = (count: number, index: number) => {
    if (count <= 0) return false
    const share = shadeOf(count, index)
    const [x, y] = cornerOf(index)
    const number = html`<text class="${share > HALF_FULL ? 'cell-number on-full' : 'cell-number'}" x="${px(x + width / 2)}" y="${px(y + height / 2 + 4)}">${formatCount(count)}</text>`
    return html`<rect class="cell" x="${x}" y="${y}" width="${px(width)}" height="${px(height)}" fill-opacity="${px(share)}"/>${number}`
  }
  /** Thousands of cells: those of one shade are one shape, which keeps the page small. */
  const shadedCells = () => {
    const shapes = new Map<number, string[]>()
    map.counts.forEach((count, index) => {
      if (count <= 0) return
      const shade = Math.ceil(shadeOf(count, index) * SHADES)
      const [x, y] = cornerOf(index)
      const shape = shapes.get(shade) ?? []
      shape.push(`M${x} ${y}h${px(width)}v${px(height)}h${-px(width)}z`)
      shapes.set(shade, shape)
    })
    return [...shapes].map(
      ([shade, parts]) => html`<path class="cell" fill-opacity="${px(shade / SHADES)}" d="${new Markup(parts.join(''))}"/>`,
    )
  }
  const cells = columns <= MAX_NUMBERED ? map.counts.map(numberedCell) : shadedCells()
  return drawing(
    bottom + 96,
    map.label,
    html`
<rect class="cells" x="${LEFT}" y="${TOP}" width="${px(columns * width)}" height="${px(rows * height)}"/>${cells}
<g class="axis">${everyNth(map.rowNames, MAX_NAMED).map(([name, row]) => html`<text class="end" x="${LEFT - 6}" y="${px(TOP + (row + 0.5) * height + 4)}">${plainLine(name, NAME_LIMIT)}</text>`)}${everyNth(
      map.columnNames,
      MAX_NAMED,
    ).map(
      ([name, column]) =>
        html`<text class="end" transform="translate(${px(LEFT + (column + 0.5) * width + 4)} ${px(bottom + 10)}) rotate(-45)">${plainLine(name, NAME_LIMIT)}</text>`,
    )}
<text class="middle" x="${px(LEFT + (columns * width) / 2)}" y="${px(bottom + 90)}">${map.columnTitle}</text><text class="middle" transform="translate(14 ${px(TOP + (rows * height) / 2)}) rotate(-90)">${map.rowTitle}</text></g>`,
  )
}

function everyNth(names: readonly string[], limit: number): [string, number][] {
  const step = Math.ceil(names.length / limit)
  return names.flatMap((name, index): [string, number][] => (index % step === 0 ? [[name, index]] : []))
}
