import type { Comparison, ComparisonRow } from '../../contract/measurement.ts'
import { differenceVerdict, isAccuracyDifferenceShown } from '../../core/comparison/difference-verdict.ts'
import { differenceTest, differenceText, headlineText } from './metric-text.ts'
import {
  formatBytes,
  formatInterval,
  formatMs,
  formatPercent,
  formatPoints,
  formatPValue,
  formatRatio,
  formatSignificant,
} from './quantities.ts'

/** What a comparison says about a row's accuracy; null when accuracy was not measured, or for the baseline. */
export type AccuracyVerdict = 'higher' | 'lower' | 'no difference shown'

/** Whether the row's accuracy differs from the baseline's on the same samples. */
export function accuracyVerdict(row: ComparisonRow): AccuracyVerdict | null {
  const difference = row.accuracyDifference
  if (!difference) return null
  if (!isAccuracyDifferenceShown(difference)) return 'no difference shown'
  return difference.difference > 0 ? 'higher' : 'lower'
}

/** The row everything is compared with. @throws Error when the comparison has none (a bug of whoever made it) */
export function baselineRow(comparison: Comparison): ComparisonRow {
  const row = comparison.rows.find(({ modelId }) => modelId === comparison.baselineId)
  if (!row) throw new Error(`comparison ${comparison.id} has no row for its baseline`)
  return row
}

/** The rows that are compared with the baseline, in their order. */
export function comparedRows(comparison: Comparison): readonly ComparisonRow[] {
  return comparison.rows.filter(({ modelId }) => modelId !== comparison.baselineId)
}

/** One sentence with the answer most readers came for. */
export function headline(comparison: Comparison): string {
  const rows = comparedRows(comparison)
  const faster = rows.filter(({ speedup }) => speedup?.verdict === 'faster')
  const sound = faster.filter((row) => accuracyVerdict(row) !== 'lower' && differenceVerdict(row.metricDifference) !== 'worse')
  const [best] = [...sound].sort((a, b) => (b.speedup?.estimate ?? 0) - (a.speedup?.estimate ?? 0))
  if (best) {
    const tested = accuracyVerdict(best) !== null || differenceVerdict(best.metricDifference) !== null
    const accuracy = tested ? 'no loss of accuracy shown' : best.metrics ? headlineText(best.metrics) : 'accuracy was not measured'
    return `${best.model} is the fastest choice: ${formatRatio(best.speedup?.estimate)} the speed of ${comparison.baseline}, ${accuracy}.`
  }
  if (faster.length > 0)
    return `Every build that is faster than ${comparison.baseline} is less accurate: the gain has a price, shown below.`
  return `No build was shown to be faster than ${comparison.baseline} on this machine.`
}

/** Speed, size and accuracy of one row against the baseline, a sentence each. */
export function rowSentences(row: ComparisonRow, baseline: ComparisonRow): string[] {
  return [speedSentence(row, baseline), sizeSentence(row, baseline), accuracySentence(row, baseline)].filter(
    (sentence) => sentence !== null,
  )
}

function speedSentence({ model, latencyMs, speedup }: ComparisonRow, baseline: ComparisonRow): string | null {
  if (!speedup) return null
  const interval = `95 % interval ${formatInterval(speedup.ci95, formatRatio)}`
  const medians = `median ${formatMs(latencyMs.p50)} against ${formatMs(baseline.latencyMs.p50)}`
  if (speedup.verdict === 'no difference shown')
    return `No difference in speed shown: ${formatRatio(speedup.estimate)} (${interval}), ${medians}.`
  if (speedup.verdict === 'faster') return `${model} is faster: ${formatRatio(speedup.estimate)} the speed (${interval}), ${medians}.`
  return `${model} is slower: it needs ${formatRatio(1 / speedup.estimate)} the time (speed ${formatRatio(speedup.estimate)}, ${interval}), ${medians}. It is no optimization on this machine.`
}

function sizeSentence(row: ComparisonRow, baseline: ComparisonRow): string {
  const sizes = `${formatBytes(row.sizeBytes)} against ${formatBytes(baseline.sizeBytes)}`
  const ratio = baseline.sizeBytes / row.sizeBytes
  if (ratio >= 1.005) return `The file is ${formatRatio(ratio)} smaller: ${sizes}.`
  return ratio <= 0.995 ? `The file is ${formatRatio(1 / ratio)} larger: ${sizes}.` : `The file is as large as before: ${sizes}.`
}

function accuracySentence(row: ComparisonRow, baseline: ComparisonRow): string | null {
  const { metrics, accuracyDifference: difference } = row
  if (!metrics || !difference) return otherMetricSentence(row, baseline)
  const values = `${formatPercent(metrics.accuracy)} against ${formatPercent(baseline.metrics?.accuracy)}`
  const test = `exact McNemar test, ${formatPValue(difference.pValue)}`
  const verdict = accuracyVerdict(row)
  if (verdict === 'no difference shown') return `No difference in accuracy shown: ${values} (${test}).`
  return `Accuracy is ${verdict} by ${formatPoints(Math.abs(difference.difference)).replace('+', '')}: ${values} (${test}).`
}

/** Regression, and parity where there is nothing to be right about. */
function otherMetricSentence({ metrics, metricDifference }: ComparisonRow, baseline: ComparisonRow): string | null {
  if (!metrics) return null
  const verdict = differenceVerdict(metricDifference)
  if (verdict === null || !metricDifference) {
    if (metrics.cosine === undefined) return null
    const agreement = typeof metrics.agreement === 'number' ? `, same top class on ${formatPercent(metrics.agreement)}` : ''
    return `Outputs against the baseline's: ${headlineText({ sqnrDb: metrics.sqnrDb })}, cosine ${metrics.cosine.toFixed(6)}, largest difference ${formatSignificant(metrics.maxAbsDiff)}${agreement}.`
  }
  const values = `${headlineText(metrics)} against ${headlineText(baseline.metrics)}`
  const words = verdict === 'no difference shown' ? 'No difference in error shown' : `Answers are ${verdict}`
  return `${words}: ${values}, ${differenceText(metricDifference)} (${differenceTest(metricDifference)}).`
}
