import type { AccuracyExplanation } from '../../../contract/analysis.ts'
import { type Block, cutTable, facts, folded, list, text } from '../blocks/report-block.ts'
import {
  formatCount,
  formatCounted,
  formatDecibels,
  formatInterval,
  formatPercent,
  formatPoints,
  formatPValue,
  NOTHING,
} from '../quantities.ts'
import { noiseChart } from './layers-section.ts'
import type { ReportNames } from './report-names.ts'

/** Rows listed. */
const MAX_ROWS = 25

/** Why a build answers worse than its baseline. */
export function accuracyBlocks(explanation: AccuracyExplanation, datasetId: string | null, names: ReportNames): Block[] {
  const { samples, findings, layers, classes, accuracyDifference, accuracyDifferenceCi95, advice, answers } = explanation
  const interval = accuracyDifferenceCi95 ? `, 95 % interval ${formatInterval(accuracyDifferenceCi95, formatPoints)}` : ''
  return [
    facts([
      [
        'accuracy against the baseline',
        accuracyDifference === null ? 'not measured: no labels' : `${formatPoints(accuracyDifference)}${interval}`,
      ],
      ...(answers
        ? [
            [
              'answers',
              `${formatPercent(answers.buildAccuracy)} against ${formatPercent(answers.baselineAccuracy)} on ${formatCounted(answers.samples, 'sample')}, ${formatCount(answers.changed)} answered otherwise (exact McNemar test, ${formatPValue(answers.pValue)})`,
            ] as const,
          ]
        : []),
      ['tensors compared on', formatCounted(samples, 'sample')],
    ]),
    findings.length === 0
      ? text('No single cause stands out.')
      : list(
          findings.map(({ message }) => message),
          { ordered: true },
        ),
    ...(advice === null ? [] : [text(advice)]),
    ...noiseChart(layers),
    ...(layers.length === 0
      ? []
      : [
          folded(
            'Layers that lose most',
            cutTable(
              ['layer', 'operator', 'computes in', '>signal to noise', '>lost against its inputs'],
              [...layers]
                .sort((a, b) => (b.lostDb ?? 0) - (a.lostDb ?? 0))
                .map(({ layer, op, precision, sqnrDb, lostDb }) => [
                  layer,
                  op,
                  precision,
                  sqnrDb === null ? NOTHING : formatDecibels(sqnrDb),
                  lostDb === null ? NOTHING : formatDecibels(lostDb),
                ]),
              MAX_ROWS,
            ),
          ),
        ]),
    ...(classes.length === 0
      ? []
      : [
          folded(
            'Classes whose recall changed',
            cutTable(
              ['class', '>samples', '>baseline', '>build', '>exact test'],
              classes.map(({ class: own, support, baselineRecall, buildRecall, pValue }) => [
                names.className(datasetId, own),
                formatCount(support),
                formatPercent(baselineRecall),
                formatPercent(buildRecall),
                formatPValue(pValue),
              ]),
              MAX_ROWS,
            ),
          ),
        ]),
  ]
}
