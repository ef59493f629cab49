import type { MixedPrecision } from '../../contract/recipe.ts'
import { type CutColumn, CutTable } from '../components/cut-table.tsx'
import { Section } from '../components/section.tsx'
import { formatMs } from '../format/durations.ts'
import { formatCounted } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatDecibels, formatPercent, formatPoints } from '../format/shares.ts'
import classes from './build-sections.module.css'

const columns: readonly CutColumn<MixedPrecision['left'][number]>[] = [
  { header: 'Node', cell: ({ node }) => plainText(node, 120), className: 'es-mono es-wrap' },
  { header: 'Operator', cell: ({ op }) => plainText(op, 40) },
  { header: 'Signal to noise alone', cell: ({ sqnrDb }) => formatDecibels(sqnrDb), align: 'right' },
  { header: 'Would gain', cell: ({ gainMs }) => formatMs(gainMs), align: 'right' },
  { header: 'Why', cell: ({ reason }) => plainText(reason, 300), className: 'es-wrap' },
]

/** What the search for a build within an accuracy budget left in float. */
export function LeftInFloat({ found }: { found: MixedPrecision }) {
  const { met, reached, baseline, maxDrop, samples, trials, left } = found
  return (
    <Section title="Accuracy budget" aside={`${formatCounted(samples, 'sample')}, ${formatCounted(trials, 'build')} tried`} flush>
      <p className={classes.line} data-testid="accuracy-budget" data-met={met}>
        {met ? 'Kept: ' : 'Not kept: '}
        {formatPercent(reached)} against {formatPercent(baseline)} of the source ({formatPoints(reached - baseline)}; at most{' '}
        {formatPoints(-maxDrop)} was allowed).{' '}
        {left.length === 0 ? 'Nothing had to be left in float.' : `${formatCounted(left.length, 'node')} left in float:`}
      </p>
      {left.length > 0 ? <CutTable columns={columns} rows={left} /> : null}
    </Section>
  )
}
