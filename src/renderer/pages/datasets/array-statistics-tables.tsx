import type { ArrayStatistics, DatasetColumn } from '../../../contract/dataset.ts'
import { CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { formatSignificant, isShowable, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

interface ArrayStatisticsTablesProps {
  readonly statistics: readonly ArrayStatistics[]
  readonly columns: readonly DatasetColumn[] | null
}

/** Mean, spread and range of every array, channel by channel or feature by feature, as stored. */
export function ArrayStatisticsTables({ statistics, columns }: ArrayStatisticsTablesProps) {
  return statistics.map((entry) => (
    <Section key={entry.array} title={`Values of ${plainText(entry.array, 60)}`} aside="as stored, before preprocessing" flush>
      <CutTable
        rows={entry.mean.map((mean, index) => ({ mean, index }))}
        columns={[
          { header: nameHeader(entry, columns), cell: ({ index }) => entryName(entry, columns, index), className: 'es-wrap' },
          { header: 'Mean', cell: ({ mean }) => numberText(mean), align: 'right' },
          { header: 'Standard deviation', cell: ({ index }) => numberText(entry.std[index]), align: 'right' },
          { header: 'Lowest', cell: ({ index }) => numberText(entry.min[index]), align: 'right' },
          { header: 'Highest', cell: ({ index }) => numberText(entry.max[index]), align: 'right' },
        ]}
      />
    </Section>
  ))
}

function nameHeader({ axis, mean }: ArrayStatistics, columns: readonly DatasetColumn[] | null): string {
  if (axis === null) return 'Values'
  return columns?.length === mean.length ? 'Column' : 'Channel or feature'
}

function entryName({ axis, mean }: ArrayStatistics, columns: readonly DatasetColumn[] | null, index: number): string {
  if (axis === null) return 'all'
  return columns?.length === mean.length ? plainText(columns[index]?.name ?? '', 80) : String(index)
}

function numberText(value: number | undefined): string {
  return isShowable(value) ? formatSignificant(value) : NOTHING
}
