import { useState } from 'react'
import type { Comparison } from '../../../contract/measurement.ts'
import detailClasses from '../../components/detail.module.css'
import { WarningList } from '../../components/warning-list.tsx'
import type { AnalysedRow } from './analysed-row.ts'
import { AnalysisPanel } from './analysis-panel.tsx'
import { ComparisonEnvironment } from './comparison-environment.tsx'
import { ComparisonHeader } from './comparison-header.tsx'
import { comparisonWarnings, headlineText } from './comparison-outcome.ts'
import { ComparisonTable } from './comparison-table.tsx'
import classes from './comparison-view.module.css'
import { LatencyDistributions } from './latency-distributions.tsx'
import { NoiseFloor } from './noise-floor.tsx'
import { SlowerExplanations } from './slower-explanations.tsx'
import { TradeOffSection } from './trade-off-section.tsx'

/** A comparison: the answer, the conditions, the trade-off, the distributions, the numbers; or one of its builds looked into. */
export function ComparisonView({ comparison }: { comparison: Comparison }) {
  // Pointing at a row or a point shows the same model everywhere.
  const [pointed, setPointed] = useState<string | null>(null)
  const [analysed, setAnalysed] = useState<AnalysedRow | null>(null)
  const row = comparison.rows.find(({ modelId }) => modelId === analysed?.modelId)
  return (
    <div className={detailClasses.detail} data-testid="comparison-view" data-comparison-id={comparison.id}>
      <ComparisonHeader comparison={comparison} />
      {analysed && row ? (
        <AnalysisPanel
          key={`${analysed.kind} ${analysed.modelId}`}
          comparison={comparison}
          row={row}
          analysed={analysed}
          onAnalyse={setAnalysed}
        />
      ) : (
        <div className={detailClasses.sections}>
          <p className={classes.headline} data-testid="comparison-headline">
            {headlineText(comparison)}
          </p>
          <WarningList warnings={comparisonWarnings(comparison)} />
          <NoiseFloor comparison={comparison} />
          <div className={classes.charts}>
            <TradeOffSection comparison={comparison} pointed={pointed} onPoint={setPointed} />
            <LatencyDistributions comparison={comparison} pointed={pointed} onPoint={setPointed} />
            <ComparisonTable comparison={comparison} pointed={pointed} onPoint={setPointed} onAnalyse={setAnalysed} />
          </div>
          <SlowerExplanations comparison={comparison} onAnalyse={setAnalysed} />
          <ComparisonEnvironment comparison={comparison} />
        </div>
      )}
    </div>
  )
}
