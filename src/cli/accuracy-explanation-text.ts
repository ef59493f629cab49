import {
  formatCount,
  formatDecibels,
  formatInterval,
  formatPercent,
  formatPoints,
  formatPValue,
  NOTHING,
} from '../backend/report/quantities.ts'
import type { AccuracyExplanation } from '../contract/analysis.ts'
import { titledTable } from './build-description.ts'

/** Rows for people; `--json` has them all. */
const MAX_LAYERS = 15
const MAX_CLASSES = 10

/** Why the answers of a build are worse: findings and advice a line each, then layers and classes. */
export function describeAccuracy(baseline: string, model: string, dataset: string, explanation: AccuracyExplanation): string {
  const { answers, findings, advice, layers, classes, samples, accuracyDifference, accuracyDifferenceCi95 } = explanation
  const heading = answers
    ? `${model} answers ${formatPercent(answers.buildAccuracy)} of ${formatCount(answers.samples)} samples of ${dataset} right, ${baseline} ${formatPercent(answers.baselineAccuracy)}: ${formatPoints(accuracyDifference)} (95 % ${formatInterval(accuracyDifferenceCi95, formatPoints)}, ${formatPValue(answers.pValue)}).`
    : `${model} beside ${baseline} on ${formatCount(samples)} samples of ${dataset}; without labels and class scores only tensors are compared.`
  const losing = layers.filter(({ lostDb }) => lostDb !== null).sort((a, b) => (b.lostDb ?? 0) - (a.lostDb ?? 0))
  return [
    heading,
    ...findings.map(({ message }) => `  because: ${message}`),
    ...(advice === null ? [] : [`  advice: ${advice}`]),
    ...(losing.length > 0
      ? [
          '',
          titledTable(
            'Layers that lose most signal to noise:',
            [
              { title: 'layer' },
              { title: 'operator' },
              { title: 'type' },
              { title: 'signal to noise', align: 'right' },
              { title: 'lost here', align: 'right' },
            ],
            losing.map(({ layer, op, precision, sqnrDb, lostDb }) => [
              layer,
              op,
              precision,
              formatDecibels(sqnrDb),
              formatDecibels(lostDb),
            ]),
            MAX_LAYERS,
          ),
        ]
      : []),
    ...(classes.length > 0
      ? [
          '',
          titledTable(
            'Classes, largest loss first:',
            [
              { title: 'class', align: 'right' },
              { title: 'samples', align: 'right' },
              { title: 'right before', align: 'right' },
              { title: 'right after', align: 'right' },
              { title: 'p (corrected)', align: 'right' },
            ],
            classes.map((entry) => [
              `${entry.class}`,
              formatCount(entry.support),
              formatPercent(entry.baselineRecall),
              formatPercent(entry.buildRecall),
              entry.pValue === 1 ? NOTHING : formatPValue(entry.pValue),
            ]),
            MAX_CLASSES,
          ),
        ]
      : []),
  ].join('\n')
}
