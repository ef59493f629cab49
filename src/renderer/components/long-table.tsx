import { useElementSize } from '@mantine/hooks'
import { type ReactNode, useState } from 'react'
import classes from './long-table.module.css'
import { rowWindow } from './window-rows.ts'

/** Rows drawn beyond the view, so that fast scrolling shows no gap. */
const OVERSCAN = 12

interface LongTableProps<Row> {
  readonly label: string
  /** Header cells; their classes decide the widths of the columns. */
  readonly header: ReactNode
  readonly rows: readonly Row[]
  /** Every row is this high, in pixels. */
  readonly rowHeight: number
  /** Cells of one row. */
  readonly children: (row: Row) => ReactNode
}

/** A table of any length: only the rows in view are in the page, two empty rows stand for the others. */
export function LongTable<Row>({ label, header, rows, rowHeight, children }: LongTableProps<Row>) {
  const { ref, height } = useElementSize()
  const [scrollTop, setScrollTop] = useState(0)
  const { first, end } = rowWindow(scrollTop, height || 600, rowHeight, rows.length, OVERSCAN)
  return (
    <section
      className={classes.scroll}
      ref={ref}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={label}
    >
      <table className={classes.table} aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>{header}</tr>
        </thead>
        <tbody>
          {first > 0 ? <tr aria-hidden style={{ height: first * rowHeight }} /> : null}
          {rows.slice(first, end).map((row, offset) => (
            <tr key={first + offset} className={classes.row} style={{ height: rowHeight }} aria-rowindex={first + offset + 2}>
              {children(row)}
            </tr>
          ))}
          {end < rows.length ? <tr aria-hidden style={{ height: (rows.length - end) * rowHeight }} /> : null}
        </tbody>
      </table>
    </section>
  )
}
