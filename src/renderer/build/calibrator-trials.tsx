import type { OptimizeSummary } from '../../contract/recipe.ts'
import { Section } from '../components/section.tsx'
import { ShareBars } from '../components/share-bars.tsx'
import { formatDecibels } from '../format/shares.ts'

/** What each calibrator that was tried gave on held-back samples. */
export function CalibratorTrials({ summary }: { summary: OptimizeSummary }) {
  const { calibrator, calibratorTrials } = summary
  if (calibratorTrials.length === 0) return null
  const loudest = Math.max(0, ...calibratorTrials.map(({ sqnrDb }) => sqnrDb ?? 0))
  return (
    <Section
      title="Calibrators that were tried"
      aside={calibrator ? `${calibrator} was taken: signal to noise on held-back samples` : null}
    >
      <ShareBars
        bars={calibratorTrials.map((trial) => ({
          name: trial.biasCorrection ? `${trial.calibrator} + bias correction` : trial.calibrator,
          // Identical outputs have no noise: the longest bar there is.
          amount: trial.sqnrDb === null ? loudest || 1 : Math.max(0, trial.sqnrDb),
          text: formatDecibels(trial.sqnrDb),
        }))}
      />
    </Section>
  )
}
