import type { Analysis } from '../../../contract/analysis.ts'
import type { Evaluation } from '../../../contract/evaluation.ts'
import type { Benchmark, Comparison } from '../../../contract/measurement.ts'
import type { ReportDocument } from '../../../contract/report.ts'
import { type Block, heading, type Inline, list } from '../blocks/report-block.ts'
import { headlineText } from '../metric-text.ts'
import { formatCount, formatDecibels, formatInterval, formatMs, formatPercent, formatPoints, formatSignificant } from '../quantities.ts'
import { headline } from '../verdicts.ts'
import { analysisTitle } from './analysis-section.ts'
import { grouped } from './grouped.ts'
import { matrixSentence, matrixTitle } from './matrix-section.ts'
import type { ReportNames } from './report-names.ts'
import { scenarioText } from './setting-facts.ts'
import { validationSentence, validationTitle } from './validation-section.ts'

/** Sentences before the reader is sent to the sections. */
const MAX_SENTENCES = 20

/** What a reader in a hurry takes away: one sentence for everything in the report. Nothing for a report of one comparison, which begins with its own. */
export function summaryBlocks(
  document: ReportDocument,
  benchmarks: readonly Benchmark[],
  evaluations: readonly Evaluation[],
  names: ReportNames,
): Block[] {
  const sentences: Inline[] = [
    ...document.comparisons.map(comparisonSentence),
    ...evaluations.map((evaluation) => evaluationSentence(evaluation, names)),
    ...benchmarks.filter(({ sweepId }) => sweepId === null).map((benchmark) => benchmarkSentence(benchmark, names)),
    ...grouped(
      benchmarks.filter(({ sweepId }) => sweepId !== null),
      ({ sweepId }) => sweepId ?? '',
    ).map((runs) => sweepSentence(runs, names)),
    ...document.matrices.map((matrix) => `${matrixTitle(matrix)}: ${matrixSentence(matrix)}`),
    ...document.analyses.map((analysis) => analysisSentence(analysis, names)),
    ...document.validations.map((validation) => `${validationTitle(validation)}: ${validationSentence(validation)}`),
  ]
  if (sentences.length < 2) return []
  const left = sentences.length - MAX_SENTENCES
  return [
    heading(2, 'Summary'),
    list(left > 0 ? [...sentences.slice(0, MAX_SENTENCES), `… and ${formatCount(left)} more below.`] : sentences),
  ]
}

function comparisonSentence(comparison: Comparison): string {
  const noisy = comparison.rows.some(({ noise }) => noise.label === 'noisy' || noise.label === 'throttled')
  return `${comparison.device}: ${headline(comparison)}${noisy ? ' The machine was not quiet.' : ''}`
}

function evaluationSentence({ modelId, datasetName, samples, metrics }: Evaluation, names: ReportNames): string {
  const interval = metrics.accuracyCi95 ? ` (95 % interval ${formatInterval(metrics.accuracyCi95, formatPercent)})` : ''
  return `${names.model(modelId)} on ${formatCount(samples)} samples of ${datasetName}: ${metrics.accuracy === undefined ? '' : 'accuracy '}${headlineText(metrics)}${interval}.`
}

function benchmarkSentence({ modelId, deviceId, settings, latencyMs, noise }: Benchmark, names: ReportNames): string {
  const tail = latencyMs.p99 === null ? '' : `, p99 ${formatMs(latencyMs.p99)}`
  const quiet = noise.label === 'noisy' || noise.label === 'throttled' ? ` The machine was ${noise.label}.` : ''
  return `${names.model(modelId)} on ${names.device(deviceId)}, ${scenarioText(settings)}: median ${formatMs(latencyMs.p50)}${tail}.${quiet}`
}

function sweepSentence(runs: readonly Benchmark[], names: ReportNames): string {
  const best = runs.reduce((a, b) => (b.throughputPerSecond > a.throughputPerSecond ? b : a))
  const { batch, threads } = best.settings
  return `${names.model(best.modelId)} does most samples a second (${formatSignificant(best.throughputPerSecond)}) with batches of ${formatCount(batch)} and ${threads === 1 ? 'one thread' : `${formatCount(threads)} threads`}.`
}

function analysisSentence(analysis: Analysis, names: ReportNames): string {
  const title = analysisTitle(analysis, names)
  switch (analysis.kind) {
    case 'profile': {
      const top = analysis.result.byOp.reduce<(typeof analysis.result.byOp)[number] | undefined>(
        (a, b) => (a && a.ms >= b.ms ? a : b),
        undefined,
      )
      return top ? `${title}: most of it (${formatMs(top.ms)}) to ${top.kernel}.` : `${title}.`
    }
    case 'layers': {
      const worst = analysis.result.layers.filter(({ sqnrDb }) => sqnrDb !== null).sort((a, b) => (a.sqnrDb ?? 0) - (b.sqnrDb ?? 0))[0]
      return worst ? `${title}: furthest apart at ${worst.layer} (${formatDecibels(worst.sqnrDb)}).` : `${title}.`
    }
    case 'parity':
      return `${title}: ${analysis.result.verdict}. ${analysis.result.reason}`
    case 'slowdown':
    case 'accuracy': {
      const [finding] = analysis.result.findings
      const difference =
        analysis.kind === 'accuracy' && analysis.result.accuracyDifference !== null
          ? ` (${formatPoints(analysis.result.accuracyDifference)})`
          : ''
      return `${title}${difference}: ${finding ? finding.message.replace(/\.$/, '') : 'no single cause stands out'}.`
    }
  }
}
