import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { formatCount } from '../format/numbers.ts'
import classes from './cut-table.module.css'
import tableClasses from './plain-table.module.css'

/** A column of a {@link CutTable}. */
export interface CutColumn<Row> {
  readonly header: string
  readonly cell: (row: Row, index: number) => ReactNode
  readonly align?: 'right'
  /** For names and reasons that may hold words of any length. */
  readonly className?: string
}

interface CutTableProps<Row> {
  readonly columns: readonly CutColumn<Row>[]
  readonly rows: readonly Row[]
  /** Rows shown at first. */
  readonly first?: number
}

/** Shown at first; a large model has thousands of nodes, and few are worth reading. */
const FIRST_ROWS = 12
/** Drawn at most. */
const MAX_ROWS = 500

/** The first rows of a table, and the others on demand. */
export function CutTable<Row>({ columns, rows, first = FIRST_ROWS }: CutTableProps<Row>) {
  const [all, setAll] = useState(false)
  const shown = rows.slice(0, all ? MAX_ROWS : first)
  return (
    <>
      <table className={`${tableClasses.table} ${classes.table}`}>
        <thead>
          <tr>
            {columns.map(({ header, align }) => (
              <th key={header} scope="col" className={align && classes.right}>
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              {columns.map(({ header, cell, align, className }) => (
                <td key={header} className={align ? `${classes.right} es-num` : className}>
                  {cell(row, index)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length ? (
        <div className={classes.more}>
          {all ? (
            `and ${formatCount(rows.length - shown.length)} more`
          ) : (
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
              Show {rows.length > MAX_ROWS ? `the first ${MAX_ROWS}` : `all ${formatCount(rows.length)}`}
            </Button>
          )}
        </div>
      ) : null}
    </>
  )
}
