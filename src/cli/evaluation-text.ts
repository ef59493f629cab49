import {
  formatCount,
  formatDecibels,
  formatInterval,
  formatPercent,
  formatPoints,
  formatPValue,
  formatSignificant,
  formatSpan,
} from '../backend/report/quantities.ts'
import type { Dataset } from '../contract/dataset.ts'
import type { MetricDifference, Task } from '../contract/evaluation.ts'
import type { EvaluatedModel } from './commands/evaluate.ts'
import { type Column, textTable } from './text-table.ts'

/** A column of the table of models, and its cell. */
interface MetricColumn extends Column {
  readonly cell: (evaluated: EvaluatedModel) => string
}

const number = (title: string, cell: MetricColumn['cell']): MetricColumn => ({ title, align: 'right', cell })
const modelColumn: MetricColumn = { title: 'model', cell: ({ model }) => model.name }
const timeColumn = number('time', ({ evaluation }) => formatSpan(evaluation.durationMs))

/** What is printed of each task. */
const columns: Readonly<Record<Task, readonly MetricColumn[]>> = {
  classification: [
    modelColumn,
    number('accuracy', ({ evaluation: { metrics } }) => formatPercent(metrics.accuracy)),
    number('95 % interval', ({ evaluation: { metrics } }) => formatInterval(metrics.accuracyCi95, formatPercent)),
    number('top-5', ({ evaluation: { metrics } }) => formatPercent(metrics.top5)),
    number('precision', ({ evaluation: { metrics } }) => formatSignificant(metrics.precisionMacro)),
    number('recall', ({ evaluation: { metrics } }) => formatSignificant(metrics.recallMacro)),
    number('F1 macro', ({ evaluation: { metrics } }) => formatSignificant(metrics.f1Macro)),
    number('calibration error', ({ evaluation: { metrics } }) => formatSignificant(metrics.calibrationError)),
    timeColumn,
  ],
  regression: [
    modelColumn,
    number('R²', ({ evaluation: { metrics } }) => formatFine(metrics.r2)),
    number('95 % interval', ({ evaluation: { metrics } }) => formatInterval(metrics.r2Ci95, formatFine)),
    number('MAE', ({ evaluation: { metrics } }) => formatSignificant(metrics.mae)),
    number('95 % interval', ({ evaluation: { metrics } }) => formatInterval(metrics.maeCi95, formatSignificant)),
    number('RMSE', ({ evaluation: { metrics } }) => formatSignificant(metrics.rmse)),
    number('95 % interval', ({ evaluation: { metrics } }) => formatInterval(metrics.rmseCi95, formatSignificant)),
    number('largest error', ({ evaluation: { metrics } }) => formatSignificant(metrics.maxError)),
    number('bias', ({ evaluation: { regression } }) => formatSignificant(regression?.bias)),
    timeColumn,
  ],
  parity: [modelColumn, timeColumn],
}

/** R² of good models differs in the third digit after the point. */
function formatFine(value: number | null | undefined): string {
  return typeof value === 'number' ? value.toFixed(4).replace('-', '−') : formatSignificant(value)
}

/**
 * Evaluations on one dataset as a table, and how far the last one's outputs are from its baseline's where they were compared.
 * @param evaluated at least one, the baseline first
 */
export function describeEvaluations(
  dataset: Pick<Dataset, 'name' | 'classNames'>,
  device: string,
  evaluated: readonly EvaluatedModel[],
  baseline: string | undefined,
): string {
  const last = (evaluated as readonly [...EvaluatedModel[], EvaluatedModel])[evaluated.length - 1] as EvaluatedModel
  const { task, samples, classification, parity } = last.evaluation
  const shown = columns[task]
  const classes = classification ? `, ${formatCount(classification.classes)} classes` : ''
  return [
    `${dataset.name} on ${device}: ${formatCount(samples)} samples${classes}`,
    '',
    textTable(
      shown,
      evaluated.map((entry) => shown.map(({ cell }) => cell(entry))),
    ),
    ...(classification && classification.topConfusions.length > 0
      ? ['', `Most frequent mistakes of ${last.model.name}: ${mistakes(last, dataset.classNames)}`]
      : []),
    ...(classification && classification.unanswered > 0
      ? [`${formatCount(classification.unanswered)} samples got scores that are not numbers; they count as wrong.`]
      : []),
    ...(parity ? ['', `Outputs of ${last.model.name} beside those of ${baseline ?? 'the baseline'}:`, parityTable(last)] : []),
  ].join('\n')
}

/** Enough to see a pattern on one line. */
const MISTAKES_SHOWN = 3

function mistakes({ evaluation: { classification } }: EvaluatedModel, names: readonly string[] | null): string {
  const nameOf = (index: number) => names?.[index] ?? `class ${index}`
  return (classification?.topConfusions ?? [])
    .slice(0, MISTAKES_SHOWN)
    .map(({ label, predicted, count }) => `${nameOf(label)} taken for ${nameOf(predicted)} (${formatCount(count)})`)
    .join(', ')
}

function parityTable({ evaluation: { parity } }: EvaluatedModel): string {
  const right = (title: string): Column => ({ title, align: 'right' })
  return textTable(
    [
      { title: 'output' },
      { title: 'type' },
      right('SQNR'),
      right('cosine'),
      right('worst cosine'),
      right('largest difference'),
      right('mean difference'),
      right('same class'),
    ],
    (parity?.outputs ?? []).map((output) => [
      output.name,
      output.type,
      formatDecibels(output.sqnrDb),
      output.cosine.toFixed(6),
      output.worstCosine.toFixed(6),
      formatSignificant(output.maxAbsDiff),
      formatSignificant(output.meanAbsDiff),
      formatPercent(output.agreement),
    ]),
  )
}

const metricNames = { accuracy: 'accuracy', mae: 'MAE', rmse: 'RMSE', sqnrDb: 'SQNR' } as const
const testNames = { mcnemar: 'exact McNemar test', 'paired bootstrap': 'paired bootstrap', none: 'no test' } as const

/** The difference of a metric in one sentence. */
export function describeDifference({ metric, difference, ci95, pValue, test }: MetricDifference): string {
  const show = metric === 'accuracy' ? formatPoints : formatSignificant
  const interval = ci95 ? ` (95 % interval ${formatInterval(ci95, show)})` : ''
  const tested = pValue === null ? '' : `, ${formatPValue(pValue)} (${testNames[test]})`
  const shown = pValue !== null && pValue >= 0.05 ? ': no difference shown' : ''
  return `difference in ${metricNames[metric]} to the baseline: ${show(difference)}${interval}${tested}${shown}`
}
