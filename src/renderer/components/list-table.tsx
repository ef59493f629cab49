import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import classes from './list-table.module.css'
import { type SortOrder, sortTree } from './sort-tree.ts'
import { useRowKeys } from './use-row-keys.ts'

/** A column of a {@link ListTable}. */
export interface Column<Row> {
  readonly key: string
  readonly header: string
  readonly cell: (row: Row) => ReactNode
  readonly align?: 'left' | 'right'
  /** Makes the header a button that sorts by this value. */
  readonly sort?: (row: Row) => number | string | null
  /** 2 disappears in narrow panes, 3 already in medium ones, 4 in all but wide ones; 1 (default) stays. */
  readonly priority?: 1 | 2 | 3 | 4
}

interface ListTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  /** In their natural order; children directly after their parent where `parentKey` is given. */
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly parentKey?: (row: Row) => string | null
  readonly selectedKey: string | null
  readonly onSelect: (key: string) => void
  readonly rowTestId: (row: Row) => string
}

/** A table whose rows are selected by click or arrow keys and sorted by their headers. */
export function ListTable<Row>(props: ListTableProps<Row>) {
  const { label, columns, rowKey, selectedKey, onSelect } = props
  const [order, setOrder] = useState<SortOrder | null>(null)
  const sorter = order ? columns.find(({ key }) => key === order.key)?.sort : undefined
  const rows = order && sorter ? sortTree(props.rows, rowKey, props.parentKey, sorter, order.descending) : props.rows
  const keys = rows.map(rowKey)
  const focusKey = selectedKey !== null && keys.includes(selectedKey) ? selectedKey : keys[0]
  const rowKeys = useRowKeys(keys, onSelect)
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are selected and moved through by keys, as in a grid
    <table className={classes.table} role="grid" aria-label={label} aria-rowcount={rows.length}>
      <thead>
        <tr>
          {columns.map((column) => (
            <HeaderCell key={column.key} column={column} order={order} onOrder={setOrder} />
          ))}
        </tr>
      </thead>
      <tbody onKeyDown={rowKeys.onKeyDown} ref={rowKeys.body}>
        {rows.map((row) => {
          const key = rowKey(row)
          return (
            <tr
              key={key}
              className={classes.row}
              aria-selected={key === selectedKey}
              tabIndex={key === focusKey ? 0 : -1}
              data-key={key}
              data-testid={props.rowTestId(row)}
              onClick={() => onSelect(key)}
            >
              {columns.map((column) => (
                <td key={column.key} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

interface HeaderCellProps<Row> {
  readonly column: Column<Row>
  readonly order: SortOrder | null
  readonly onOrder: (order: SortOrder | null) => void
}

/** Sorts ascending, descending, then as before. */
function HeaderCell<Row>({ column, order, onOrder }: HeaderCellProps<Row>) {
  const active = order?.key === column.key ? order : null
  const sorted = active ? (active.descending ? 'descending' : 'ascending') : undefined
  function advance(): void {
    if (!active) onOrder({ key: column.key, descending: false })
    else onOrder(active.descending ? null : { key: column.key, descending: true })
  }
  const Chevron = active?.descending ? IconChevronDown : IconChevronUp
  return (
    <th scope="col" aria-sort={sorted} className={cellClass(column)}>
      {column.sort ? (
        <button type="button" className={classes.sort} onClick={advance}>
          {column.header}
          {active ? <Chevron size={12} aria-hidden /> : null}
        </button>
      ) : (
        column.header
      )}
    </th>
  )
}

/** Classes that hide columns, by priority. */
const hiding = { 1: '', 2: classes.second, 3: classes.third, 4: classes.fourth } as const

function cellClass<Row>({ align, priority }: Column<Row>): string {
  const names = [align === 'right' ? classes.right : '', priority ? hiding[priority] : '']
  return names.filter(Boolean).join(' ')
}
