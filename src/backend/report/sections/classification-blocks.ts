import type { ClassificationDetail } from '../../../contract/evaluation.ts'
import type { Markup } from '../blocks/html.ts'
import { type Block, cutTable, figure, folded, table, text } from '../blocks/report-block.ts'
import { heatMap } from '../charts/heat-map.ts'
import { reliabilityChart } from '../charts/reliability-chart.ts'
import { formatCount, formatCounted, formatInterval, formatPercent } from '../quantities.ts'
import type { ReportNames } from './report-names.ts'

/** Classes and mistakes listed. */
const MAX_CLASSES = 50
const MAX_MISTAKES = 15
/** Larger matrices are no reading. */
const MAX_TABULATED = 12

/** What lies behind an accuracy: the confusion matrix, every class, and how far the model's confidence can be trusted. */
export function classificationBlocks(detail: ClassificationDetail, datasetId: string, names: ReportNames): Block[] {
  const { classes, correct, unanswered, perClass, confusion, topConfusions, calibration } = detail
  const name = (index: number) => names.className(datasetId, index)
  return [
    text(
      `${formatCount(correct)} right answers, ${formatCount(classes)} classes${unanswered > 0 ? `; ${formatCounted(unanswered, 'sample')} got no usable answer and count as wrong` : ''}.`,
    ),
    ...(confusion && classes > 1
      ? [
          figure(confusionMap(confusion, classes, name), confusionTable(confusion, classes, name), {
            caption: 'Rows are true classes, columns the answers; colour is the share of the row.',
          }),
        ]
      : []),
    ...(topConfusions.length > 0
      ? [
          folded('Most frequent mistakes', [
            table(
              ['right', 'answered', '>times'],
              topConfusions.slice(0, MAX_MISTAKES).map(({ label, predicted, count }) => [name(label), name(predicted), formatCount(count)]),
            ),
          ]),
        ]
      : []),
    folded(
      'Each class',
      cutTable(
        ['class', '>samples', '>answered', '>precision', '>recall', '>F1'],
        perClass.map(({ class: own, support, predicted, precision, recall, f1 }) => [
          name(own),
          formatCount(support),
          formatCount(predicted),
          formatPercent(precision),
          formatPercent(recall),
          formatPercent(f1),
        ]),
        MAX_CLASSES,
      ),
    ),
    ...(calibration ? reliabilityBlocks(calibration) : []),
  ]
}

function confusionMap(confusion: readonly number[], classes: number, name: (index: number) => string): Markup {
  const named = Array.from({ length: classes }, (_, index) => name(index))
  return heatMap({
    label: 'Confusion matrix: true class by row, answer by column',
    counts: confusion,
    rowNames: named,
    columnNames: named,
    rowTitle: 'true class',
    columnTitle: 'answer',
    full: 'row-sum',
  })
}

/** Small matrices in words; of larger ones the most frequent mistakes are listed below. */
function confusionTable(confusion: readonly number[], classes: number, name: (index: number) => string): Block | null {
  if (classes > MAX_TABULATED) return null
  const named = Array.from({ length: classes }, (_, index) => name(index))
  return table(
    ['true class', ...named.map((title) => `>${title}`)],
    named.map((title, row) => [title, ...confusion.slice(row * classes, (row + 1) * classes).map((count) => formatCount(count))]),
  )
}

function reliabilityBlocks({ bins, scores }: NonNullable<ClassificationDetail['calibration']>): Block[] {
  const filled = bins.filter(({ count }) => count > 0)
  const rows = filled.map(({ from, to, count, confidence, accuracy }) => [
    formatInterval([from, to], formatPercent),
    formatCount(count),
    formatPercent(confidence),
    formatPercent(accuracy),
  ])
  const caption = `Right answers over confidence${scores === 'logits' ? ' (softmax of the outputs, which are no probabilities)' : ''}; below the diagonal the model claims more than it keeps.`
  return [figure(reliabilityChart(bins), table(['confidence', '>samples', '>mean confidence', '>right'], rows), { caption })]
}
