import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Explanation, NodeTime } from '../../../contract/analysis.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './slower-explanations.module.css'

type ComparedNode = Explanation['nodes'][number]

const nodeColumns: readonly CutColumn<ComparedNode>[] = [
  { header: 'Node', cell: ({ node }) => plainText(node, 120), className: 'es-mono es-wrap' },
  { header: 'Original', cell: ({ baseline }) => formatMs(baseline?.ms), align: 'right' },
  { header: 'Build', cell: ({ build }) => formatMs(build?.ms), align: 'right' },
  { header: 'Lost', cell: ({ lostMs }) => formatMs(lostMs), align: 'right' },
  { header: 'Kernels', cell: ({ baseline, build }) => `${kernelText(baseline)} → ${kernelText(build)}`, className: 'es-wrap' },
]

interface ExplanationBodyProps {
  readonly explanation: Explanation
  /** Goes to the layer comparison with these layers in view. */
  readonly onLayers: (layers: readonly string[]) => void
}

/** Findings with their evidence a click away, what to do instead, and the nodes by what they lost. */
export function ExplanationBody({ explanation, onLayers }: ExplanationBodyProps) {
  const { findings, advice, nodes, baselineMs, buildMs } = explanation
  const [chosen, setChosen] = useState<number | null>(null)
  const evidence = chosen === null ? null : new Set(findings[chosen]?.nodes)
  const shown = evidence === null ? nodes : nodes.filter(({ node }) => evidence.has(node))
  return (
    <div className={classes.body}>
      {findings.length === 0 ? (
        <p className="es-dim">
          No single cause stands out: {formatMs(buildMs)} against {formatMs(baselineMs)} in the profile.
        </p>
      ) : (
        <ol className={classes.findings}>
          {findings.map(({ rule, message, lostMs, nodes: named }, index) => (
            <li key={`${rule} ${message}`} className="es-wrap" data-rule={rule} data-chosen={index === chosen || undefined}>
              {plainText(message, 600)} {lostMs === null ? null : <span className="es-dim es-num">+{formatMs(lostMs)}</span>}
              {named.length > 0 ? (
                <>
                  <Button
                    variant="subtle"
                    size="compact-xs"
                    aria-pressed={index === chosen}
                    onClick={() => setChosen(index === chosen ? null : index)}
                    data-testid="show-evidence"
                  >
                    {index === chosen ? 'Show all nodes' : `Show ${formatCounted(named.length, 'node')}`}
                  </Button>
                  <Button variant="subtle" size="compact-xs" onClick={() => onLayers(named)}>
                    In the graphs
                  </Button>
                </>
              ) : null}
            </li>
          ))}
        </ol>
      )}
      {advice ? <p className={`${classes.advice} es-wrap`}>{plainText(advice, 600)}</p> : null}
      {shown.length > 0 ? (
        <CutTable key={chosen} columns={nodeColumns} rows={shown} first={8} />
      ) : evidence ? (
        <p className="es-dim">The nodes of this finding were not timed on their own.</p>
      ) : null}
    </div>
  )
}

function kernelText(time: NodeTime | null): string {
  return time === null ? 'none' : plainText(time.kernels.join(', '), 100)
}
