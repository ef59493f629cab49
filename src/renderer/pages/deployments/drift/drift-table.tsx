import { type CutColumn, CutTable } from '../../../components/cut-table.tsx'
import { Section } from '../../../components/section.tsx'
import { formatCounted, formatSignificant, NOTHING } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { formatPValue } from '../../../format/shares.ts'
import classes from './drift.module.css'
import { DriftChip } from './drift-chip.tsx'
import { type DriftFeature, worstFirst } from './drift-order.ts'

/** Rows that are shown at once; models with names for their values seldom have more. */
const FIRST_FEATURES = 20

const number = (value: number | null) => (value === null ? NOTHING : formatSignificant(value))

const columns: readonly CutColumn<DriftFeature>[] = [
  {
    header: 'Feature',
    className: classes.feature ?? '',
    cell: ({ name, watches }) => (
      <>
        <span className="es-wrap">{plainText(name, 120)}</span>{' '}
        {watches === 'prediction' ? <span className="es-dim">prediction</span> : null}
      </>
    ),
  },
  { header: 'Drift', cell: ({ level }) => <DriftChip level={level ?? 'collecting'} /> },
  {
    header: 'PSI',
    align: 'right',
    cell: ({ psi, psiLimit }) => (
      <>
        {number(psi)}
        {psiLimit === null ? null : <span className="es-dim"> / {formatSignificant(psiLimit)}</span>}
      </>
    ),
  },
  { header: 'Distance', align: 'right', cell: ({ distance }) => number(distance) },
  { header: 'p', align: 'right', cell: ({ pValue }) => (pValue === null ? NOTHING : formatPValue(pValue).replace(/^p (= )?/, '')) },
  {
    header: 'In a row',
    align: 'right',
    cell: ({ windowsInARow }) => (windowsInARow === 0 ? NOTHING : formatCounted(windowsInARow, 'window')),
  },
]

/** Every watched feature, the worst first. */
export function DriftTable({ features }: { features: readonly DriftFeature[] }) {
  return (
    <Section title="Features" aside="the worst first" flush>
      <div data-testid="drift-table" data-features={features.length}>
        <CutTable columns={columns} rows={worstFirst(features)} first={FIRST_FEATURES} />
      </div>
    </Section>
  )
}
