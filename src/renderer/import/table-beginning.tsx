import type { ProcedureOutput } from '../../contract/procedures.ts'
import tableClasses from '../components/plain-table.module.css'
import { ScrollBox } from '../components/scroll-box.tsx'
import { formatCount } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './table-beginning.module.css'

/** Columns that are drawn: enough to see whether the table was read as it should be. */
const MAX_COLUMNS = 24

/** The header and the first rows of a table; an empty place of the same height until they are there. */
export function TableBeginning({ table }: { table: ProcedureOutput<'datasets.table'> | undefined }) {
  const columns = table?.columns.slice(0, MAX_COLUMNS) ?? []
  const more = (table?.columns.length ?? 0) - columns.length
  return (
    <div className={classes.frame} data-testid="csv-beginning">
      <ScrollBox label="First rows of the table">
        <table className={`${tableClasses.table} ${classes.table}`}>
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {plainText(name, 24)}
                </th>
              ))}
              {more > 0 ? <th scope="col">and {formatCount(more)} more</th> : null}
            </tr>
          </thead>
          <tbody>
            {(table?.rows ?? []).map((row, index) => (
              <tr key={index}>
                {columns.map((name, column) => (
                  <td key={name}>{plainText(row[column] ?? '', 24)}</td>
                ))}
                {more > 0 ? <td>…</td> : null}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </div>
  )
}
