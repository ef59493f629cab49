import { IconCornerDownRight } from '@tabler/icons-react'
import type { Dataset } from '../../../contract/dataset.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import classes from './datasets-table.module.css'
import { labelsShort, labelsText } from './labels-text.ts'

interface DatasetsTableProps {
  readonly datasets: readonly Dataset[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

const formats: Readonly<Record<Dataset['format'], string>> = { npz: 'npz', npy: 'npy', idx: 'IDX', csv: 'CSV', images: 'images' }

/** Datasets with their sizes, splits below what they are parts of. */
export function DatasetsTable({ datasets, selectedId, onSelect }: DatasetsTableProps) {
  const now = useNow(60_000)
  const present = new Set(datasets.map(({ id }) => id))
  const columns: readonly Column<Dataset>[] = [
    {
      key: 'name',
      header: 'Name',
      sort: ({ name }) => name,
      cell: ({ name, parentId }) =>
        parentId !== null && present.has(parentId) ? (
          <span className={classes.split} title={plainText(name, 120)}>
            <IconCornerDownRight size={13} aria-label="Part of the dataset above" />
            {plainText(name, 80)}
          </span>
        ) : (
          <strong title={plainText(name, 120)}>{plainText(name, 80)}</strong>
        ),
    },
    { key: 'format', header: 'Format', priority: 3, sort: ({ format }) => format, cell: ({ format }) => formats[format] },
    {
      key: 'samples',
      header: 'Samples',
      align: 'right',
      sort: ({ report }) => report.samples,
      cell: ({ report }) => formatCount(report.samples),
    },
    {
      key: 'labels',
      header: 'Classes',
      sort: ({ report }) => Object.keys(report.classCounts ?? {}).length,
      align: 'right',
      cell: ({ report }) => <span title={labelsText(report) ?? 'no labels'}>{labelsShort(report)}</span>,
    },
    {
      key: 'size',
      header: 'Size',
      align: 'right',
      priority: 2,
      sort: ({ report }) => report.sizeBytes,
      cell: ({ report }) => formatBytes(report.sizeBytes),
    },
    {
      key: 'created',
      header: 'Created',
      align: 'right',
      priority: 3,
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
      parentKey={({ parentId }) => parentId}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ name }) => `dataset-row-${plainText(name)}`}
    />
  )
}
