import type { Explanation } from '../../../contract/analysis.ts'
import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { differenceVerdict, isAccuracyDifferenceShown } from '../../../core/comparison/difference-verdict.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { headlineText as metricHeadline } from '../../text/metric-text.ts'

/** Whether a build was shown to answer worse than the baseline; null where nothing was tested. */
function isWorse({ accuracyDifference, metricDifference }: ComparisonRow): boolean | null {
  if (accuracyDifference) return isAccuracyDifferenceShown(accuracyDifference) && accuracyDifference.difference < 0
  const verdict = differenceVerdict(metricDifference)
  return verdict === null ? null : verdict === 'worse'
}

/** The baseline's row; undefined in a comparison that has none. */
export function baselineRowOf(comparison: Comparison): ComparisonRow | undefined {
  return comparison.rows.find(({ modelId }) => modelId === comparison.baselineId)
}

/** The outcome in a few words for the list: the fastest build that was shown to be faster, or that there is none. */
export function outcomeText({ rows }: Comparison): string {
  const [best] = rows
    .filter(({ speedup }) => speedup?.verdict === 'faster')
    .sort((a, b) => (b.speedup?.estimate ?? 0) - (a.speedup?.estimate ?? 0))
  if (best?.speedup) return `${formatRatio(best.speedup.estimate)} with ${plainText(best.model, 60)}`
  const slower = rows.filter(({ speedup }) => speedup?.verdict === 'slower').length
  const others = rows.length - 1
  return slower === others ? 'slower than the baseline' : 'no difference in speed shown'
}

/** All warnings once, with the models they belong to unless they concern every one. */
export function comparisonWarnings({ rows }: Comparison): string[] {
  const models = new Map<string, string[]>()
  for (const row of rows) for (const warning of row.warnings) models.set(warning, [...(models.get(warning) ?? []), row.model])
  return [...models].map(([warning, names]) =>
    names.length === rows.length ? warning : `${names.map((name) => plainText(name, 40)).join(', ')}: ${warning}`,
  )
}

/** The answer most readers came for, in a sentence; the report says the same. */
export function headlineText(comparison: Comparison): string {
  const baseline = plainText(comparison.baseline, 80)
  const faster = comparison.rows.filter(({ speedup }) => speedup?.verdict === 'faster')
  const sound = faster.filter((row) => isWorse(row) !== true)
  const [best] = sound.sort((a, b) => (b.speedup?.estimate ?? 0) - (a.speedup?.estimate ?? 0))
  if (best?.speedup) {
    const tested = isWorse(best) !== null
    const accuracy = tested ? 'no loss of accuracy shown' : best.metrics ? metricHeadline(best.metrics) : 'accuracy was not measured'
    return `${plainText(best.model, 80)} is the fastest choice: ${formatRatio(best.speedup.estimate)} the speed of ${baseline}, ${accuracy}.`
  }
  if (faster.length > 0) return `Every build that is faster than ${baseline} is less accurate: the gain has a price, shown below.`
  return `No build was shown to be faster than ${baseline} on this machine.`
}

/** Rows that are slower and explained, with their places in the comparison. */
export function explainedRows({ rows }: Comparison): { row: ComparisonRow; index: number; explanation: Explanation }[] {
  return rows.flatMap((row, index) => (row.explanation ? [{ row, index, explanation: row.explanation }] : []))
}
