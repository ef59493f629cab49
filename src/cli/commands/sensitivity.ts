import {
  formatCount,
  formatCounted,
  formatDecibels,
  formatMs,
  formatPercent,
  formatPoints,
  formatSpan,
  NOTHING,
} from '../../backend/report/quantities.ts'
import { targetSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import type { SensitivityReport } from '../../contract/recipe.ts'
import { titledTable } from '../build-description.ts'
import { defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { required, setting, text } from '../option.ts'
import { findDataset, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import type { Column } from '../text-table.ts'

/** Rows for people; `--json` has them all. */
const MAX_UNITS = 30

export const sensitivityCommand = defineCommand({
  name: 'sensitivity',
  summary: 'Which nodes suffer most from int8 quantization, and what each gains',
  positionals: { model: { description: 'path, name or id of a float model' } },
  options: {
    calibration: required(text('DATASET', 'typical inputs that ranges are measured on; labels are not needed')),
    data: text('DATASET', 'labelled data: nodes are then ranked by the accuracy they cost'),
    target: setting('T', targetSchema, 'processor to quantize for; left out: this computer'),
    samples: setting('N', procedures['sensitivity.start'].input.shape.samples),
    preprocess: preprocessOption,
  },
  notes: [
    'One node at a time is quantized, everything else stays in float. Worst first. To leave the worst in float: optimize --set exclude=NODE,NODE; to let a search decide: optimize --max-accuracy-drop.',
  ],
  examples: [
    'sensitivity model.onnx --calibration calibration.npz --data test.npz',
    'sensitivity model.onnx --calibration calibration.npz --json',
  ],
  run: async (context, options, { model: modelText }) => {
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const model = await findModel(context, modelText)
    const calibration = await findDataset(context, options.calibration, preprocessing)
    const labelled = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const report = await runJob(context, 'sensitivity.start', {
      modelId: model.id,
      target: options.target,
      calibrationId: calibration.id,
      datasetId: labelled?.id,
      samples: options.samples,
    })
    return { document: { model: model.name, ...report }, text: describe(model.name, report) }
  },
})

function describe(model: string, report: SensitivityReport): string {
  const { units, metric, baseline, samples, skipped, warnings, durationMs, target } = report
  const byAccuracy = metric === 'accuracy'
  const columns: Column[] = [
    { title: '#', align: 'right' },
    { title: 'node' },
    { title: 'operator' },
    ...(byAccuracy
      ? ([
          { title: 'accuracy', align: 'right' },
          { title: 'difference', align: 'right' },
        ] as const)
      : []),
    { title: 'SQNR', align: 'right' },
    { title: 'gains', align: 'right' },
    { title: 'MACs', align: 'right' },
  ]
  const rows = units.map(({ node, op, accuracy, sqnrDb, gainMs, macs }, index) => [
    String(index + 1),
    node,
    op,
    ...(byAccuracy ? [formatPercent(accuracy), accuracy === null || baseline === null ? NOTHING : formatPoints(accuracy - baseline)] : []),
    formatDecibels(sqnrDb),
    formatMs(gainMs),
    formatCount(macs),
  ])
  const against = byAccuracy ? `by accuracy (${formatPercent(baseline)} in float)` : 'by the signal to noise of the outputs'
  return [
    titledTable(
      `${model}, quantized one node at a time for ${target}, worst first ${against}, ${formatCounted(samples, 'sample')}:`,
      columns,
      rows,
      MAX_UNITS,
    ),
    ...(skipped.length > 0 ? ['', `${formatCounted(skipped.length, 'node')} cannot be quantized (--json lists them).`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
    `Took ${formatSpan(durationMs)}.`,
  ].join('\n')
}
