import type { Dataset } from '../../../contract/dataset.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'

interface DatasetsTableProps {
  readonly datasets: readonly Dataset[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

/** Datasets with their sizes. */
export function DatasetsTable({ datasets, selectedId, onSelect }: DatasetsTableProps) {
  const now = useNow(60_000)
  const columns: readonly Column<Dataset>[] = [
    { key: 'name', header: 'Name', sort: ({ name }) => name, cell: ({ name }) => <strong>{plainText(name, 80)}</strong> },
    { key: 'format', header: 'Format', priority: 2, sort: ({ format }) => format, cell: ({ format }) => format },
    {
      key: 'samples',
      header: 'Samples',
      align: 'right',
      sort: ({ report }) => report.samples,
      cell: ({ report }) => formatCount(report.samples),
    },
    {
      key: 'labels',
      header: 'Labels',
      priority: 2,
      sort: ({ report }) => Object.keys(report.classCounts ?? {}).length,
      cell: ({ report }) =>
        report.classCounts ? `${formatCount(Object.keys(report.classCounts).length)} classes` : <span className="es-dim">none</span>,
    },
    {
      key: 'size',
      header: 'Size',
      align: 'right',
      priority: 3,
      sort: ({ report }) => report.sizeBytes,
      cell: ({ report }) => formatBytes(report.sizeBytes),
    },
    {
      key: 'created',
      header: 'Created',
      align: 'right',
      priority: 2,
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  return (
    <ListTable
      label="Datasets"
      columns={columns}
      rows={datasets}
      rowKey={({ id }) => id}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ name }) => `dataset-row-${plainText(name)}`}
    />
  )
}
