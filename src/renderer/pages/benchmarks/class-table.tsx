import { Button } from '@mantine/core'
import type { ClassificationDetail } from '../../../contract/evaluation.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { formatPercent } from '../../format/shares.ts'

interface ClassTableProps {
  readonly classification: ClassificationDetail
  readonly className: (index: number) => string
  /** Shows the worst samples of a class. */
  readonly onChoose: (index: number) => void
}

/** Precision, recall and F1 of each class, lowest F1 first; then what is mistaken most often. */
export function ClassTable({ classification, className, onChoose }: ClassTableProps) {
  type ClassRow = ClassificationDetail['perClass'][number]
  type Confusion = ClassificationDetail['topConfusions'][number]
  const columns: readonly CutColumn<ClassRow>[] = [
    {
      header: 'Class',
      cell: (row) => (
        <Button variant="subtle" size="compact-xs" onClick={() => onChoose(row.class)} title="Show its worst samples">
          {className(row.class)}
        </Button>
      ),
    },
    { header: 'Samples', cell: ({ support }) => formatCount(support), align: 'right' },
    { header: 'Answered', cell: ({ predicted }) => formatCount(predicted), align: 'right' },
    { header: 'Precision', cell: ({ precision }) => formatPercent(precision), align: 'right' },
    { header: 'Recall', cell: ({ recall }) => formatPercent(recall), align: 'right' },
    { header: 'F1', cell: ({ f1 }) => formatPercent(f1), align: 'right' },
  ]
  const mistakes: readonly CutColumn<Confusion>[] = [
    { header: 'Expected', cell: ({ label }) => className(label), className: 'es-wrap' },
    { header: 'Answered', cell: ({ predicted }) => className(predicted), className: 'es-wrap' },
    { header: 'Samples', cell: ({ count }) => formatCount(count), align: 'right' },
  ]
  const rows = [...classification.perClass].sort((a, b) => a.f1 - b.f1)
  return (
    <>
      <Section title="Classes" aside={`${formatCount(classification.classes)} classes, weakest first`} flush>
        <CutTable columns={columns} rows={rows} />
      </Section>
      {classification.topConfusions.length > 0 ? (
        <Section title="Most frequent mistakes" flush>
          <CutTable columns={mistakes} rows={classification.topConfusions} first={8} />
        </Section>
      ) : null}
    </>
  )
}
