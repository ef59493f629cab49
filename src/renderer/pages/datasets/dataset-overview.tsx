import type { Dataset } from '../../../contract/dataset.ts'
import { CutTable } from '../../components/cut-table.tsx'
import detailClasses from '../../components/detail.module.css'
import { type Fact, Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount, formatCounted, formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { preprocessingText } from '../../text/preprocessing-text.ts'
import { ArrayStatisticsTables } from './array-statistics-tables.tsx'
import { ClassBalance } from './class-balance.tsx'
import classes from './dataset-overview.module.css'
import { labelsText } from './labels-text.ts'
import { TargetHistogram } from './target-histogram.tsx'

/** What a dataset holds: classes or targets, arrays, columns, statistics. */
export function DatasetOverview({ dataset }: { dataset: Dataset }) {
  const { report, columns } = dataset
  return (
    <div className={detailClasses.sections}>
      <Section title="At a glance">
        <Facts facts={factsOf(dataset)} />
      </Section>
      {report.notes.length > 0 ? (
        <Section title="Notes from reading it">
          <ul className={classes.notes} data-testid="dataset-notes">
            {report.notes.map((note) => (
              <li key={note} className="es-wrap">
                {plainText(note, 400)}
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
      {report.classCounts ? <ClassBalance counts={report.classCounts} names={dataset.classNames} /> : null}
      {report.targets?.histogram ? <TargetHistogram targets={report.targets} histogram={report.targets.histogram} /> : null}
      <Section title="Arrays" flush>
        <CutTable
          rows={report.arrays}
          columns={[
            { header: 'Name', cell: ({ name }) => plainText(name, 120), className: 'es-mono es-wrap' },
            { header: 'Type', cell: ({ type }) => plainText(type, 40) },
            { header: 'Shape', cell: ({ shape }) => formatShape(shape), align: 'right' },
          ]}
        />
      </Section>
      {columns ? (
        <Section title="Columns" aside={formatCounted(columns.length, 'column')} flush>
          <CutTable
            rows={columns}
            columns={[
              { header: 'Name', cell: ({ name }) => plainText(name, 120), className: 'es-wrap' },
              {
                header: 'Kind',
                cell: ({ kind, categories }) => (categories ? `${kind}: ${categoriesText(categories)}` : kind),
                className: 'es-wrap',
              },
              { header: 'Empty cells', cell: ({ missing }) => formatCount(missing), align: 'right' },
            ]}
          />
        </Section>
      ) : null}
      <ArrayStatisticsTables statistics={report.statistics} columns={columns} />
    </div>
  )
}

function factsOf({ report, format, preprocessing, source, createdAt }: Dataset): Fact[] {
  const { targets } = report
  return [
    { label: 'Samples', value: formatCount(report.samples) },
    { label: 'Format', value: format },
    { label: 'Size', value: formatBytes(report.sizeBytes) },
    { label: 'Labels', value: labelsText(report) ?? 'none: accuracy cannot be measured with it' },
    {
      label: 'Duplicates',
      value: report.duplicates === null ? 'not looked for' : report.duplicates === 0 ? 'none' : formatCounted(report.duplicates, 'sample'),
    },
    { label: 'Added', value: formatExactMoment(createdAt) },
    ...(targets
      ? [
          {
            label: targets.width === 1 ? 'Target' : 'Targets',
            value: `${formatSignificant(targets.min)} to ${formatSignificant(targets.max)}, mean ${formatSignificant(targets.mean)}, standard deviation ${formatSignificant(targets.std)}`,
            wide: true,
          },
        ]
      : []),
    { label: 'Preprocessing', value: preprocessingText(preprocessing), wide: true },
    ...(source ? [{ label: 'Imported from', value: plainText(source, 1000), wide: true }] : []),
  ]
}

function categoriesText(categories: readonly string[]): string {
  if (categories.length === 0) return NOTHING
  const shown = categories.slice(0, 6).map((name) => plainText(name, 30))
  return categories.length > shown.length ? `${shown.join(', ')}, … ${formatCount(categories.length)} in all` : shown.join(', ')
}
