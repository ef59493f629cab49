import type { ReportEntry } from '../../../contract/report.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import { contentsText } from './contents-text.ts'

interface ReportsTableProps {
  readonly reports: readonly ReportEntry[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

/** Reports, newest first. */
export function ReportsTable({ reports, selectedId, onSelect }: ReportsTableProps) {
  const now = useNow(60_000)
  const columns: readonly Column<ReportEntry>[] = [
    {
      key: 'title',
      header: 'Title',
      sort: ({ title }) => title,
      cell: (report) => <strong title={`${plainText(report.title, 200)}: ${contentsText(report)}`}>{plainText(report.title, 120)}</strong>,
    },
    { key: 'origin', header: 'Origin', priority: 2, sort: ({ origin }) => origin, cell: ({ origin }) => origin },
    {
      key: 'created',
      header: 'Created',
      align: 'right',
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
      label="Reports"
      columns={columns}
      rows={reports}
      rowKey={({ id }) => id}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ id }) => `report-row-${id}`}
    />
  )
}
