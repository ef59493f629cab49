import { useElementSize } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from 'react'
import { type SortOrder, sortTree } from './sort-tree.ts'
import classes from './sorted-table.module.css'
import { rowWindow } from './window-rows.ts'

const ROW_HEIGHT = 28
const HEADER_HEIGHT = 30
/** Rows drawn beyond the view. */
const OVERSCAN = 10
/** Widths in pixels: of columns of numbers, of texts, and the least of those that take the rest. */
const NUMBER_WIDTH = 106
const TEXT_WIDTH = 104
const GROWING_WIDTH = 190
/** The table scrolls inside itself from here on, in pixels. */
const MAX_HEIGHT = 420

/** A column of a {@link SortedTable}. */
export interface SortedColumn<Row> {
  readonly key: string
  readonly header: string
  readonly cell: (row: Row) => ReactNode
  readonly sort: (row: Row) => number | string | null
  readonly align?: 'right'
  /** Takes the room that is left. */
  readonly grow?: boolean
}

interface SortedTableProps<Row> {
  readonly label: string
  readonly columns: readonly SortedColumn<Row>[]
  /** In their natural order. */
  readonly rows: readonly Row[]
  readonly isSelected: (row: Row) => boolean
  readonly onSelect: (row: Row) => void
  /** Sorted by this at first; in natural order without it. */
  readonly first?: SortOrder
  readonly rowTestId?: (row: Row) => string
}

/** A table of any length: sorted by its headers, rows selected by click or arrow keys, only those in view in the page. */
export function SortedTable<Row>({ label, columns, rows, isSelected, onSelect, first, rowTestId }: SortedTableProps<Row>) {
  const { ref, height } = useElementSize()
  const id = useId()
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null)
  const [scrollTop, setScrollTop] = useState(0)
  const [order, setOrder] = useState<SortOrder | null>(first ?? null)
  const sorter = order ? columns.find(({ key }) => key === order.key)?.sort : undefined
  const sorted = useMemo(
    () => (order && sorter ? sortTree(rows, () => '', undefined, sorter, order.descending) : rows),
    [rows, order, sorter],
  )
  const current = sorted.findIndex(isSelected)
  useEffect(() => {
    if (!scroller || current < 0) return
    const top = current * ROW_HEIGHT
    const view = scroller.clientHeight - HEADER_HEIGHT
    if (top < scroller.scrollTop) scroller.scrollTop = top
    else if (top + ROW_HEIGHT > scroller.scrollTop + view) scroller.scrollTop = top + ROW_HEIGHT - view
  }, [current, scroller])

  function press(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor((height || MAX_HEIGHT) / ROW_HEIGHT) - 2)
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 }
    const step = steps[event.key]
    if (step === undefined || event.target !== event.currentTarget) return
    event.preventDefault()
    const row = sorted[Math.min(sorted.length - 1, Math.max(0, current + step))]
    if (row !== undefined) onSelect(row)
  }
  const { first: from, end } = rowWindow(scrollTop, height || MAX_HEIGHT, ROW_HEIGHT, sorted.length, OVERSCAN)
  return (
    <div
      className={classes.scroll}
      style={{ maxHeight: MAX_HEIGHT }}
      ref={(element) => {
        setScroller(element)
        return ref(element)
      }}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
    >
      <table
        className={classes.table}
        style={{ minWidth: columns.reduce((sum, column) => sum + (columnWidth(column) ?? GROWING_WIDTH), 0) }}
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are selected and moved through by keys, as in a grid
        role="grid"
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        aria-activedescendant={current >= from && current < end ? `${id}${current}` : undefined}
        tabIndex={0}
        onKeyDown={press}
      >
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={{ width: columnWidth(column) }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <SortHeader key={column.key} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 ? <tr aria-hidden style={{ height: from * ROW_HEIGHT }} /> : null}
          {sorted.slice(from, end).map((row, offset) => (
            <tr
              key={from + offset}
              id={`${id}${from + offset}`}
              className={classes.row}
              style={{ height: ROW_HEIGHT }}
              aria-rowindex={from + offset + 2}
              aria-selected={isSelected(row)}
              onClick={() => onSelect(row)}
              data-testid={rowTestId?.(row)}
            >
              {columns.map(({ key, cell, align }) => (
                <td key={key} className={align ? classes.right : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {end < sorted.length ? <tr aria-hidden style={{ height: (sorted.length - end) * ROW_HEIGHT }} /> : null}
        </tbody>
      </table>
      {sorted.length === 0 ? <p className={classes.none}>Nothing matches.</p> : null}
    </div>
  )
}

function columnWidth<Row>({ grow, align }: SortedColumn<Row>): number | undefined {
  if (grow) return undefined
  return align ? NUMBER_WIDTH : TEXT_WIDTH
}

interface SortHeaderProps<Row> {
  readonly column: SortedColumn<Row>
  readonly order: SortOrder | null
  readonly onOrder: (order: SortOrder | null) => void
}

/** Sorts descending first where numbers stand, then the other way, then in natural order. */
function SortHeader<Row>({ column: { key, header, align }, order, onOrder }: SortHeaderProps<Row>) {
  const active = order?.key === key ? order : null
  const startDescending = align === 'right'
  function advance(): void {
    if (!active) onOrder({ key, descending: startDescending })
    else onOrder(active.descending === startDescending ? { key, descending: !startDescending } : null)
  }
  const Chevron = active?.descending ? IconChevronDown : IconChevronUp
  return (
    <th
      scope="col"
      className={align ? classes.right : undefined}
      aria-sort={active ? (active.descending ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" className={classes.sort} onClick={advance}>
        {header}
        {active ? <Chevron size={12} aria-hidden /> : null}
      </button>
    </th>
  )
}
