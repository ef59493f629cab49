import type { SensitivityReport } from '../../../contract/recipe.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { NodeName } from '../../components/node-name.tsx'
import { Section } from '../../components/section.tsx'
import { SkippedNodes } from '../../components/skipped-nodes.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatMs, formatSpan } from '../../format/durations.ts'
import { formatCounted, formatLargeCount, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels, formatPercent, formatPoints } from '../../format/shares.ts'
import classes from './sensitivity.module.css'
import { damageOf } from './sensitivity-damage.ts'

type Unit = SensitivityReport['units'][number]

/** Nodes ranked by what quantizing them costs, worst first, with bars on one scale. */
export function SensitivityResult({ report }: { report: SensitivityReport }) {
  const { units, metric, baseline, samples, skipped, warnings, durationMs, target } = report
  const byAccuracy = metric === 'accuracy'
  const damages = units.map((unit) => damageOf(unit, report))
  const worst = Math.max(...damages, Number.MIN_VALUE)
  const columns: readonly CutColumn<Unit>[] = [
    {
      header: 'Node',
      cell: ({ node, op }) => <NodeName name={node} op={op} />,
      className: classes.node,
    },
    {
      header: byAccuracy ? 'Loss' : 'Noise',
      cell: (unit, index) => (
        <span className={classes.bar} aria-hidden data-testid={`sensitivity-bar-${plainText(unit.node)}`}>
          <span style={{ width: `${((damages[index] ?? 0) / worst) * 100}%` }} />
        </span>
      ),
    },
    ...(byAccuracy
      ? [
          { header: 'Accuracy', cell: ({ accuracy }: Unit) => formatPercent(accuracy), align: 'right' as const },
          {
            header: 'Change',
            cell: ({ accuracy }: Unit) => (accuracy === null || baseline === null ? NOTHING : formatPoints(accuracy - baseline)),
            align: 'right' as const,
          },
        ]
      : []),
    { header: 'SQNR', cell: ({ sqnrDb }) => formatDecibels(sqnrDb), align: 'right' },
    { header: 'Gains', cell: ({ gainMs }) => formatMs(gainMs), align: 'right' },
    { header: 'MACs', cell: ({ macs }) => formatLargeCount(macs), align: 'right' },
  ]
  return (
    <div className={classes.result} data-testid="sensitivity-result" data-metric={metric} data-units={units.length}>
      <WarningList warnings={warnings} />
      <Section
        title="Worst first"
        aside={`${target}, ${formatCounted(samples, 'sample')}${baseline === null ? '' : `, ${formatPercent(baseline)} in float`}, took ${formatSpan(durationMs)}`}
        flush
      >
        {units.length === 0 ? (
          <p className={classes.nothing}>This model has no node that INT8 could be used for.</p>
        ) : (
          <CutTable columns={columns} rows={units} first={20} />
        )}
      </Section>
      <SkippedNodes skipped={skipped} />
    </div>
  )
}
