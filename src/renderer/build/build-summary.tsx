import type { OptimizeSummary, Recipe } from '../../contract/recipe.ts'
import { Facts } from '../components/facts.tsx'
import { Section } from '../components/section.tsx'
import { SizeChange } from '../components/size-change.tsx'
import { SkippedNodes } from '../components/skipped-nodes.tsx'
import { WarningList } from '../components/warning-list.tsx'
import { formatBytes } from '../format/bytes.ts'
import { formatSpan } from '../format/durations.ts'
import { formatCount, formatSignificant } from '../format/numbers.ts'
import { formatDecibels, formatRoughPercent, formatShrink } from '../format/shares.ts'
import { recipeText } from '../text/recipe-text.ts'
import { CalibratorTrials } from './calibrator-trials.tsx'
import { ChannelPruningSection } from './channel-pruning.tsx'
import { LeftInFloat } from './left-in-float.tsx'
import { QuantizationErrors } from './quantization-errors.tsx'

interface BuildSummaryProps {
  readonly summary: OptimizeSummary
  readonly recipe: Recipe | null
}

/** How a build was made and how far its outputs are from its source's. */
export function BuildSummary({ summary, recipe }: BuildSummaryProps) {
  const { input, output, fidelity, steps } = summary
  const measuredOn = fidelity.inputs === 'calibration' ? 'calibration samples' : 'generated inputs'
  return (
    <>
      <WarningList warnings={summary.warnings} />
      <Section title="Size" aside={formatShrink(input.sizeBytes, output.sizeBytes)}>
        <SizeChange before={input.sizeBytes} after={output.sizeBytes} />
      </Section>
      <Section title="Fidelity" aside={`${formatCount(fidelity.samples)} ${measuredOn}`}>
        <Facts
          facts={[
            { label: 'Signal to noise (SQNR)', value: formatDecibels(fidelity.sqnrDb) },
            { label: 'Cosine similarity', value: fidelity.cosine.toFixed(6) },
            { label: 'Largest difference', value: formatSignificant(fidelity.maxAbsDiff) },
          ]}
        />
      </Section>
      {summary.mixedPrecision ? <LeftInFloat found={summary.mixedPrecision} /> : null}
      {summary.channelPruning ? <ChannelPruningSection pruning={summary.channelPruning} /> : null}
      <Section title="What was done">
        <Facts
          facts={[
            { label: 'Recipe', value: recipe ? recipeText(recipe) : steps.map((step) => step.recipe).join(' + ') },
            { label: 'Target', value: summary.target },
            { label: 'Nodes changed', value: formatCount(summary.quantizedNodes) },
            { label: 'Run with int8 kernels', value: formatCount(summary.fusedNodes) },
            ...(summary.sparsity === null ? [] : [{ label: 'Weights set to zero', value: formatRoughPercent(summary.sparsity) }]),
            ...(summary.calibrationSamples > 0 ? [{ label: 'Calibration samples', value: formatCount(summary.calibrationSamples) }] : []),
            ...(summary.calibrator === null ? [] : [{ label: 'Calibrator', value: summary.calibrator }]),
            { label: 'Took', value: formatSpan(summary.durationMs) },
            { label: 'Peak memory', value: memoryText(summary) },
            ...(summary.phases.length > 0 ? [{ label: 'Time by phase', value: phasesText(summary), wide: true }] : []),
          ]}
        />
      </Section>
      <CalibratorTrials summary={summary} />
      <QuantizationErrors summary={summary} />
      <SkippedNodes skipped={summary.skipped} />
    </>
  )
}

function memoryText({ peakRssBytes, idleRssBytes }: OptimizeSummary): string {
  return idleRssBytes === null
    ? formatBytes(peakRssBytes)
    : `${formatBytes(peakRssBytes)}, ${formatBytes(Math.max(0, peakRssBytes - idleRssBytes))} above idle`
}

function phasesText({ phases }: OptimizeSummary): string {
  return phases.map(({ phase, durationMs }) => `${phase} ${formatSpan(durationMs)}`).join(' · ')
}
