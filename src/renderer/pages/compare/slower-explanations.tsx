import type { Comparison, Explanation, NodeTime } from '../../../contract/measurement.ts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { explainedRows } from './comparison-outcome.ts'
import classes from './slower-explanations.module.css'

type ComparedNode = Explanation['nodes'][number]

const nodeColumns: readonly CutColumn<ComparedNode>[] = [
  { header: 'Node', cell: ({ node }) => plainText(node, 120), className: 'es-mono es-wrap' },
  { header: 'Original', cell: ({ baseline }) => formatMs(baseline?.ms), align: 'right' },
  { header: 'Build', cell: ({ build }) => formatMs(build?.ms), align: 'right' },
  { header: 'Lost', cell: ({ lostMs }) => formatMs(lostMs), align: 'right' },
  {
    header: 'Kernels',
    cell: ({ baseline, build }) => `${kernelText(baseline)} → ${kernelText(build)}`,
    className: 'es-wrap',
  },
]

/** Why builds are slower than the baseline, each to be unfolded: findings, advice, and where the time went. */
export function SlowerExplanations({ comparison }: { comparison: Comparison }) {
  const rows = explainedRows(comparison)
  if (rows.length === 0) return null
  return (
    <Section title="Why slower" aside="Timed node by node beside the baseline" flush>
      {rows.map(({ row, index, explanation }) => (
        <details
          key={row.modelId}
          id={explanationId(row.modelId)}
          className={classes.build}
          data-testid={`explanation-${plainText(row.model)}`}
          open={rows.length === 1}
        >
          <summary>
            <SeriesMarker index={index} />
            <span className="es-wrap">{plainText(row.model, 80)}</span>
            <span className="es-dim">
              {formatRatio(row.speedup?.estimate)} the speed · {formatCounted(explanation.findings.length, 'finding')}
            </span>
          </summary>
          <ExplanationBody explanation={explanation} />
        </details>
      ))}
    </Section>
  )
}

/** Where a row's explanation is, for the button beside its verdict. */
export function explanationId(modelId: string): string {
  return `explanation-${modelId}`
}

/** Unfolds a row's explanation and goes there. */
export function showExplanation(modelId: string): void {
  const found = document.getElementById(explanationId(modelId))
  if (!(found instanceof HTMLDetailsElement)) return
  found.open = true
  found.scrollIntoView({ block: 'nearest' })
  found.querySelector('summary')?.focus({ preventScroll: true })
}

function ExplanationBody({ explanation }: { explanation: Explanation }) {
  const { findings, advice, nodes, baselineMs, buildMs } = explanation
  return (
    <div className={classes.body}>
      {findings.length === 0 ? (
        <p className="es-dim">
          No single cause stands out: {formatMs(buildMs)} against {formatMs(baselineMs)} in the profile.
        </p>
      ) : (
        <ol className={classes.findings}>
          {findings.map(({ rule, message, lostMs }) => (
            <li key={`${rule} ${message}`} className="es-wrap" data-rule={rule}>
              {plainText(message, 600)} {lostMs === null ? null : <span className="es-dim es-num">+{formatMs(lostMs)}</span>}
            </li>
          ))}
        </ol>
      )}
      {advice ? <p className={`${classes.advice} es-wrap`}>{plainText(advice, 600)}</p> : null}
      {nodes.length > 0 ? <CutTable columns={nodeColumns} rows={nodes} first={8} /> : null}
    </div>
  )
}

function kernelText(time: NodeTime | null): string {
  return time === null ? 'none' : plainText(time.kernels.join(', '), 100)
}
