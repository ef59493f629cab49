import type { Evaluation, ParityDetail } from '../../../contract/evaluation.ts'
import { type Block, cutTable, facts, heading, text } from '../blocks/report-block.ts'
import { headlineText } from '../metric-text.ts'
import { formatCount, formatDecibels, formatPercent, formatSignificant, formatSpan } from '../quantities.ts'
import { classificationBlocks } from './classification-blocks.ts'
import { grouped } from './grouped.ts'
import { metricLines } from './metric-lines.ts'
import { regressionBlocks } from './regression-blocks.ts'
import type { ReportNames } from './report-names.ts'

/** Evaluations whose details are shown; the tables have the numbers of all. */
const MAX_SHOWN = 30
/** Outputs listed. */
const MAX_OUTPUTS = 50

/** All evaluations: a table beside each other for each dataset, then what lies behind each. */
export function evaluationBlocks(evaluations: readonly Evaluation[], names: ReportNames): Block[] {
  if (evaluations.length === 0) return []
  const shown = new Set(evaluations.slice(0, MAX_SHOWN))
  const groups = grouped(evaluations, ({ datasetName, task }) => JSON.stringify([datasetName, task]))
  return [
    heading(2, 'Accuracy'),
    ...groups.flatMap((group): Block[] => {
      const [first] = group
      if (!first) return []
      return [
        heading(3, `On ${first.datasetName}, ${taskNames[first.task]}`),
        metricTable(group, names),
        ...group.filter((evaluation) => shown.has(evaluation)).flatMap((evaluation) => detailBlocks(evaluation, names)),
      ]
    }),
  ]
}

const taskNames = { classification: 'classes', regression: 'values', parity: 'outputs against a baseline' } as const

function metricTable(evaluations: readonly Evaluation[], names: ReportNames): Block {
  const columns = metricLines(evaluations.map(({ metrics }) => metrics))
  return {
    kind: 'table',
    look: 'results',
    columns: [
      { title: '' },
      ...evaluations.map(({ modelId, deviceId }) => ({
        title: `${names.model(modelId)} on ${names.device(deviceId)}`,
        align: 'right' as const,
      })),
    ],
    rows: [
      ['samples', ...evaluations.map(({ samples }) => formatCount(samples))],
      ...columns.map(({ label, cell }) => [label, ...evaluations.map(({ metrics }) => cell(metrics))]),
    ],
  }
}

function detailBlocks(evaluation: Evaluation, names: ReportNames): Block[] {
  const { modelId, classification, regression, parity, metrics, durationMs, createdAt } = evaluation
  return [
    heading(4, `${names.model(modelId)}: ${headlineText(metrics)}`),
    ...(classification ? classificationBlocks(classification, evaluation.datasetId, names) : []),
    ...(regression ? regressionBlocks(regression) : []),
    ...(parity ? parityBlocks(parity, names) : []),
    text(`Took ${formatSpan(durationMs)}, finished ${createdAt}.`, 'soft'),
  ]
}

function parityBlocks({ baselineModelId, outputs }: ParityDetail, names: ReportNames): Block[] {
  return [
    facts([['against', baselineModelId === null ? 'a baseline that is no longer known' : names.model(baselineModelId)]]),
    ...cutTable(
      [
        'output',
        'type',
        '>signal to noise',
        '>cosine',
        '>worst cosine of a sample',
        '>largest difference',
        '>mean difference',
        '>same top class',
      ],
      outputs.map(({ name, type, sqnrDb, cosine, worstCosine, maxAbsDiff, meanAbsDiff, agreement }) => [
        name,
        type,
        formatDecibels(sqnrDb),
        cosine.toFixed(6),
        worstCosine.toFixed(6),
        formatSignificant(maxAbsDiff),
        formatSignificant(meanAbsDiff),
        formatPercent(agreement),
      ]),
      MAX_OUTPUTS,
    ),
  ]
}
