import type { DatasetColumn, SampleView } from '../../../contract/dataset.ts'
import tableClasses from '../../components/plain-table.module.css'
import { useRowKeys } from '../../components/use-row-keys.ts'
import { formatValue } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { sampleLabel } from './sample-caption.ts'
import classes from './sample-table.module.css'
import { tableValues } from './table-values.ts'

interface SampleTableProps {
  readonly samples: readonly SampleView[]
  readonly columns: readonly DatasetColumn[] | null
  readonly selectedIndex: number | null
  readonly onSelect: (index: number) => void
}

/** Samples that are no images, a row each, with their first values. */
export function SampleTable({ samples, columns, selectedIndex, onSelect }: SampleTableProps) {
  const rowKeys = useRowKeys(
    samples.map(({ index }) => String(index)),
    (key) => onSelect(Number(key)),
  )
  const { headers, cells } = tableValues(samples, columns)
  return (
    <div className={classes.scroll} data-testid="sample-table">
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are selected and moved through by keys, as in a grid */}
      <table className={`${tableClasses.table} ${classes.table}`} role="grid" aria-label="Samples">
        <thead>
          <tr>
            <th scope="col">Sample</th>
            <th scope="col">Label</th>
            {headers.map((header, column) => (
              <th key={`${column} ${header}`} scope="col" className={classes.right} title={plainText(header, 120)}>
                {plainText(header, 24)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={rowKeys.body} onKeyDown={rowKeys.onKeyDown}>
          {samples.map((sample, row) => (
            <tr
              key={sample.index}
              className={classes.row}
              aria-selected={sample.index === selectedIndex}
              tabIndex={sample.index === selectedIndex ? 0 : -1}
              data-key={sample.index}
              data-testid={`sample-${sample.index}`}
              onClick={() => onSelect(sample.index)}
            >
              <td className="es-num">#{sample.index}</td>
              <td className="es-wrap">{sampleLabel(sample) ?? <span className="es-dim">none</span>}</td>
              {(cells[row] ?? []).map((value, column) => (
                <td key={column} className={`${classes.right} es-num`}>
                  {value === null ? '' : typeof value === 'string' ? plainText(value, 24) : formatValue(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
