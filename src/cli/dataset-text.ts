import { formatBytes, formatCount, formatShape, formatSignificant } from '../backend/report/quantities.ts'
import type { Dataset } from '../contract/dataset.ts'
import { shortId } from './references.ts'
import { shortMoment } from './short-moment.ts'
import { factList, textTable } from './text-table.ts'

/** Classes and features that are listed one by one. */
const LISTED = 40

/** Everything that is known of a dataset, as text. */
export function datasetText(dataset: Dataset, splits: readonly Dataset[]): string {
  const { report, preprocessing } = dataset
  const facts = factList([
    ['name', dataset.name],
    ['id', shortId(dataset.id)],
    ['format', dataset.format],
    ['samples', formatCount(report.samples)],
    ['arrays', report.arrays.map((array) => `${array.name} ${array.type} ${formatShape(array.shape)}`).join(', ')],
    ['answers', answersText(dataset)],
    ['preprocessing', Object.keys(preprocessing).length === 0 ? 'none' : JSON.stringify(preprocessing)],
    [
      'equal samples',
      report.duplicates === null ? 'not looked for' : report.duplicates === 0 ? 'none' : `${report.duplicates} equal an earlier one`,
    ],
    ['size', formatBytes(report.sizeBytes)],
    ['source', dataset.source],
    ['since', shortMoment(dataset.createdAt)],
    ['splits', splits.length === 0 ? null : splits.map(({ name, report: own }) => `${name} (${formatCount(own.samples)})`).join(', ')],
  ])
  const notes = report.notes.length === 0 ? [] : [`Notes:\n${report.notes.map((note) => `  ${note}`).join('\n')}`]
  return [facts, ...classTable(dataset), ...statisticsTable(dataset), ...notes].join('\n\n')
}

/** `10 classes`, `values to regress, 1 a sample, 0.2 to 9`, or that there is none. */
export function answersText({ report }: Dataset): string {
  if (report.classCounts) return `${formatCount(Object.keys(report.classCounts).length)} classes`
  if (!report.targets) return 'none'
  const { width, min, max } = report.targets
  return `values to regress, ${width} a sample, ${formatSignificant(min)} to ${formatSignificant(max)}`
}

function classTable({ report, classNames }: Dataset): string[] {
  const counts = Object.entries(report.classCounts ?? {})
  if (counts.length === 0 || counts.length > LISTED) return []
  const rows = counts.map(([label, count]) => [
    label,
    classNames?.[Number(label)] ?? '',
    formatCount(count),
    `${((100 * count) / report.samples).toFixed(1)} %`,
  ])
  return [
    textTable(
      [{ title: 'label', align: 'right' }, { title: 'class' }, { title: 'samples', align: 'right' }, { title: 'share', align: 'right' }],
      rows,
    ),
  ]
}

function statisticsTable({ report, columns }: Dataset): string[] {
  const rows = report.statistics.flatMap(({ array, mean, std, min, max }) =>
    mean.map((value, index) => {
      const column = array === 'features' ? columns?.[index] : undefined
      const name = column?.name ?? (mean.length === 1 ? array : `${array} [${index}]`)
      const kind = column?.categories ? `${column.categories.length} categories` : ''
      return [name, kind, ...[value, std[index] as number, min[index] as number, max[index] as number].map(formatSignificant)]
    }),
  )
  if (rows.length === 0) return []
  const numbers = ['mean', 'std', 'min', 'max'].map((title) => ({ title, align: 'right' as const }))
  const table = textTable([{ title: columns ? 'column' : 'values' }, { title: '' }, ...numbers], rows.slice(0, LISTED))
  return [rows.length > LISTED ? `${table}\n… and ${rows.length - LISTED} more` : table]
}
