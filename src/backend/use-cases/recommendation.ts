import type { CompareAllResult } from '../../contract/compare-all.ts'
import type { Comparison, ComparisonRow } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { formatBytes, formatDecibels, formatPercent, formatPoints, formatRatio } from '../report/quantities.ts'
import { accuracyVerdict, baselineRow, comparedRows } from '../report/verdicts.ts'

/** A loss of up to one point counts as kept, also where it is significant: the usual bar for int8 networks. */
const TOLERATED_DROP = 0.01
/** Without labels a build counts as sound when its error has at most a hundredth of the signal's energy. */
const SOUND_DB = 20
/** A build that measured slower than this is not taken for its size, also where few blocks leave the verdict open. */
const ABOUT_AS_FAST = 0.95
/** A file that is smaller by less than this share is no reason to change. */
const WORTHWHILE_SAVING = 0.05

/**
 * The build to take: the fastest of those shown to be faster that kept their accuracy; when there is none, the smallest of those that
 * kept it and are about as fast. Null when the source model is the best.
 *
 * @param models the compared builds, for how far their outputs are from the source's where accuracy was not measured
 */
export function recommend(comparison: Comparison, models: readonly Model[]): CompareAllResult['recommended'] {
  const baseline = baselineRow(comparison)
  const sound = comparedRows(comparison).filter((row) => isSound(row, models))
  const [fastest] = sound
    .filter(({ speedup }) => speedup?.verdict === 'faster')
    .sort((a, b) => (b.speedup?.estimate ?? 0) - (a.speedup?.estimate ?? 0))
  if (fastest) {
    const gain = `The fastest of the builds that kept their accuracy: ${formatRatio(fastest.speedup?.estimate)} the speed of ${comparison.baseline}`
    return { modelId: fastest.modelId, reason: `${gain}, ${accuracyText(fastest, models)}, ${sizeText(fastest, baseline)}.` }
  }
  const [smallest] = sound
    .filter(({ speedup }) => speedup !== null && speedup.verdict !== 'slower' && speedup.estimate >= ABOUT_AS_FAST)
    .filter(({ sizeBytes }) => sizeBytes < baseline.sizeBytes * (1 - WORTHWHILE_SAVING))
    .sort((a, b) => a.sizeBytes - b.sizeBytes)
  if (!smallest) return null
  const gain = `No build was shown to be faster; this is the smallest that is about as fast: ${sizeText(smallest, baseline)}`
  return { modelId: smallest.modelId, reason: `${gain}, ${accuracyText(smallest, models)}.` }
}

function isSound(row: ComparisonRow, models: readonly Model[]): boolean {
  if (row.accuracyDifference) return row.accuracyDifference.difference >= -TOLERATED_DROP - 1e-9 || accuracyVerdict(row) !== 'lower'
  const noise = noiseOf(row, models)
  return noise !== undefined && (noise === null || noise >= SOUND_DB)
}

/** Output signal to noise of the build in decibels: null for identical outputs, undefined when it is not known. */
function noiseOf(row: ComparisonRow, models: readonly Model[]): number | null | undefined {
  return models.find(({ id }) => id === row.modelId)?.summary?.fidelity.sqnrDb
}

function accuracyText(row: ComparisonRow, models: readonly Model[]): string {
  if (row.metrics && row.accuracyDifference) {
    const shown = accuracyVerdict(row) === 'no difference shown' ? ', no difference shown' : ''
    return `accuracy ${formatPercent(row.metrics.accuracy)} (${formatPoints(row.accuracyDifference.difference)}${shown})`
  }
  return `accuracy was not measured (outputs at ${formatDecibels(noiseOf(row, models) ?? null)} signal to noise)`
}

function sizeText(row: ComparisonRow, baseline: ComparisonRow): string {
  return `${formatBytes(row.sizeBytes)} instead of ${formatBytes(baseline.sizeBytes)}`
}
