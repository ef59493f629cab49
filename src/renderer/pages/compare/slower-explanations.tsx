import type { Comparison } from '../../../contract/measurement.ts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { Section } from '../../components/section.tsx'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import type { AnalysedRow } from './analysed-row.ts'
import { explainedRows } from './comparison-outcome.ts'
import { ExplanationBody } from './explanation-body.tsx'
import classes from './slower-explanations.module.css'

interface SlowerExplanationsProps {
  readonly comparison: Comparison
  readonly onAnalyse: (analysed: AnalysedRow) => void
}

/** Why builds are slower than the baseline, each to be unfolded: findings, advice, and where the time went. */
export function SlowerExplanations({ comparison, onAnalyse }: SlowerExplanationsProps) {
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
          <ExplanationBody explanation={explanation} onLayers={(layers) => onAnalyse({ kind: 'layers', modelId: row.modelId, layers })} />
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
