import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDecibels,
  formatMs,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSignificant,
  formatSpan,
  NOTHING,
} from '../backend/report/quantities.ts'
import { accuracyDrop, type Evaluation } from '../contract/evaluation.ts'
import type { Model } from '../contract/model.ts'
import type { ChannelPruning, MixedPrecision, OptimizeSummary } from '../contract/recipe.ts'
import { type Column, factList, textTable } from './text-table.ts'

/** Lines of a table for people; `--json` has them all. */
const MAX_SKIPPED = 20
const MAX_TENSORS = 8
const MAX_LAYERS = 20

/** Accuracy of a build and of what it was made from, on the same samples. */
export interface AccuracyPair {
  readonly baseline: Evaluation
  readonly build: Evaluation
}

/** What became of a model: the facts, then tables of what is worth a look. */
export function describeBuild(model: Model, summary: OptimizeSummary, out: string | null, accuracy: AccuracyPair | null): string {
  const tables = [
    summary.mixedPrecision && mixedPrecisionTable(summary.mixedPrecision),
    summary.channelPruning && channelTable(summary.channelPruning),
    tensorTable(summary),
    weightTable(summary),
    skippedTable(summary),
  ].filter((text) => text !== null && text !== '')
  return [
    factList(buildFacts(model, summary, out, accuracy)),
    ...summary.warnings.map((warning) => `warning: ${warning}`),
    ...tables.flatMap((text) => ['', text as string]),
  ].join('\n')
}

function sizeChange(before: number, after: number): string {
  return after <= before ? `${formatRatio(before / after)} smaller` : `${formatRatio(after / before)} larger`
}

function buildFacts(
  model: Model,
  summary: OptimizeSummary,
  out: string | null,
  accuracy: AccuracyPair | null,
): (readonly [string, string | null])[] {
  const { input, output, fidelity } = summary
  return [
    ['build', model.name],
    ['file', out],
    ['size', `${formatBytes(input.sizeBytes)} → ${formatBytes(output.sizeBytes)} (${sizeChange(input.sizeBytes, output.sizeBytes)})`],
    ['target', summary.target],
    ['steps', summary.steps.map((step) => `${step.recipe} ${formatSpan(step.durationMs)}`).join(', ')],
    ['phases', summary.phases.map(({ phase, durationMs }) => `${phase} ${formatSpan(durationMs)}`).join(', ') || null],
    ['nodes changed', `${formatCount(summary.quantizedNodes)}, ${formatCount(summary.fusedNodes)} run by int8 kernels after loading`],
    ['zero weights', summary.sparsity === null ? null : formatPercent(summary.sparsity)],
    ['calibration', summary.calibrationSamples > 0 ? formatCounted(summary.calibrationSamples, 'sample') : null],
    ['calibrator', calibratorText(summary)],
    [
      'against source',
      `SQNR ${formatDecibels(fidelity.sqnrDb)}, cosine ${fidelity.cosine.toFixed(6)}, largest difference ${formatSignificant(fidelity.maxAbsDiff)} (${formatCount(fidelity.samples)} ${fidelity.inputs} inputs)`,
    ],
    [
      'accuracy',
      accuracy &&
        `${formatPercent(accuracy.build.metrics.accuracy)} against ${formatPercent(accuracy.baseline.metrics.accuracy)} (${formatPoints(accuracyDrop(accuracy.build.metrics, accuracy.baseline.metrics))})`,
    ],
    ['accuracy budget', summary.mixedPrecision && budgetText(summary.mixedPrecision)],
    ['computation', summary.channelPruning && channelText(summary.channelPruning)],
    ['peak memory', memoryText(summary)],
    ['time', formatSpan(summary.durationMs)],
  ]
}

/** `percentile; tried minmax 31.2 dB, percentile 33.4 dB`. */
function calibratorText({ calibrator, calibratorTrials }: OptimizeSummary): string | null {
  if (calibrator === null) return null
  const tried = calibratorTrials.map(
    ({ calibrator: name, biasCorrection, sqnrDb }) => `${name}${biasCorrection ? ' with bias correction' : ''} ${formatDecibels(sqnrDb)}`,
  )
  return tried.length > 0 ? `${calibrator}; tried ${tried.join(', ')}` : calibrator
}

function memoryText({ peakRssBytes, idleRssBytes }: OptimizeSummary): string {
  const above = idleRssBytes === null ? '' : `, ${formatBytes(Math.max(0, peakRssBytes - idleRssBytes))} above idle`
  return `${formatBytes(peakRssBytes)}${above}`
}

function budgetText({ maxDrop, baseline, reached, samples, met, trials }: MixedPrecision): string {
  const outcome = met ? 'kept' : 'not kept'
  return `${outcome}: ${formatPercent(reached)} against ${formatPercent(baseline)}, at most ${formatPoints(maxDrop).replace('+', '')} allowed (${formatCounted(samples, 'sample')}, ${formatCounted(trials, 'build')} tried)`
}

function mixedPrecisionTable({ left }: MixedPrecision): string {
  if (left.length === 0) return 'Nothing had to be left in float for the accuracy budget.'
  return titledTable(
    `${formatCounted(left.length, 'node')} left in float for the accuracy budget:`,
    [
      { title: 'node' },
      { title: 'operator' },
      { title: 'alone', align: 'right' },
      { title: 'would gain', align: 'right' },
      { title: 'reason' },
    ],
    left.map(({ node, op, sqnrDb, gainMs, reason }) => [node, op, formatDecibels(sqnrDb), formatMs(gainMs), reason]),
    MAX_SKIPPED,
  )
}

function channelText({
  macsBefore,
  macsAfter,
  parametersBefore,
  parametersAfter,
  latencyBeforeMs,
  latencyAfterMs,
}: ChannelPruning): string {
  const change = (before: number, after: number) => `${formatCount(before)} → ${formatCount(after)} (${formatPercent(after / before)})`
  return [
    ...(macsBefore !== null && macsAfter !== null ? [`multiply-accumulates ${change(macsBefore, macsAfter)}`] : []),
    `parameters ${change(parametersBefore, parametersAfter)}`,
    ...(latencyBeforeMs !== null && latencyAfterMs !== null ? [`latency ${formatMs(latencyBeforeMs)} → ${formatMs(latencyAfterMs)}`] : []),
  ].join(', ')
}

function channelTable({ layers, refitted }: ChannelPruning): string {
  return titledTable(
    `Channels of ${formatCounted(layers.length, 'layer')}${refitted ? ', the remaining weights re-fitted' : ''}:`,
    [{ title: 'node' }, { title: 'operator' }, { title: 'before', align: 'right' }, { title: 'after', align: 'right' }],
    layers.map(({ node, op, before, after }) => [node, op, formatCount(before), formatCount(after)]),
    MAX_LAYERS,
  )
}

function tensorTable({ tensors }: OptimizeSummary): string {
  if (tensors.length === 0) return ''
  return titledTable(
    'Activations that suffer most:',
    [
      { title: 'tensor' },
      { title: 'made by' },
      { title: 'against float', align: 'right' },
      { title: 'own rounding', align: 'right' },
      { title: 'clipped', align: 'right' },
    ],
    tensors.map(({ tensor, node, op, sqnrDb, localSqnrDb, saturated, values }) => [
      tensor,
      node === '' ? 'input' : `${node} (${op})`,
      formatDecibels(sqnrDb),
      formatDecibels(localSqnrDb),
      values > 0 ? formatPercent(saturated / values) : NOTHING,
    ]),
    MAX_TENSORS,
  )
}

function weightTable({ weights }: OptimizeSummary): string {
  if (weights.length === 0) return ''
  return titledTable(
    'Weights that suffer most:',
    [{ title: 'node' }, { title: 'operator' }, { title: 'weight' }, { title: 'rounding', align: 'right' }],
    weights.map(({ node, op, tensor, sqnrDb }) => [node, op, tensor, formatDecibels(sqnrDb)]),
    MAX_TENSORS,
  )
}

function skippedTable({ skipped }: OptimizeSummary): string {
  if (skipped.length === 0) return ''
  return titledTable(
    `${formatCounted(skipped.length, 'node')} left as before:`,
    [{ title: 'node' }, { title: 'operator' }, { title: 'reason' }],
    skipped.map(({ node, op, reason }) => [node, op, reason]),
    MAX_SKIPPED,
  )
}

/** The first rows of a table under its title, and how many more there are. */
export function titledTable(title: string, columns: readonly Column[], rows: readonly (readonly string[])[], most: number): string {
  const more = rows.length > most ? [`… and ${rows.length - most} more (--json lists all)`] : []
  return [title, textTable(columns, rows.slice(0, most)), ...more].join('\n')
}
