import { EdgesmithError } from '../../contract/errors.ts'
import type { Evaluation, MetricDifference } from '../../contract/evaluation.ts'
import type { Model } from '../../contract/model.ts'
import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { describeDifference, describeEvaluations } from '../evaluation-text.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { required, setting, text } from '../option.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'

export const evaluateCommand = defineCommand({
  name: 'evaluate',
  summary: 'What the answers of a model are worth: accuracy, errors, or parity with a baseline, measured on a device',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    data: required(text('DATASET', 'path or name of a dataset')),
    baseline: text('MODEL', 'compare outputs with this one’s, evaluate it too, and test the difference'),
    device: deviceOption,
    batch: setting('N', procedures['evaluate.start'].input.shape.batch),
    threads: threadsOption,
    preprocess: preprocessOption,
    'max-accuracy-drop': gateOptions['max-accuracy-drop'],
  },
  notes: [
    'Labels give accuracy, targets (values to regress) give R², MAE and RMSE; without either a baseline is needed, and outputs are compared value by value.',
  ],
  examples: ['evaluate model.onnx --data test.npz', 'evaluate model-int8.onnx --data test.npz --baseline model.onnx --device pi5 --json'],
  run: async (context, options, { model: modelText }) => {
    if (options['max-accuracy-drop'] !== undefined && options.baseline === undefined) {
      throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --baseline')
    }
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const baseline = options.baseline === undefined ? null : await findModel(context, options.baseline)
    const dataset = await findDataset(context, options.data, preprocessing)
    if (options['max-accuracy-drop'] !== undefined && !dataset.report.labelled) throw needsClasses(dataset.name)
    const where = { datasetId: dataset.id, deviceId: device.id, batch: options.batch, threads: options.threads }
    const evaluation = await runJob(context, 'evaluate.start', { modelId: model.id, ...where, baselineId: baseline?.id })
    if (options['max-accuracy-drop'] !== undefined && evaluation.task !== 'classification') throw needsClasses(dataset.name)
    // Without labels and targets the baseline has nothing to be right or wrong about.
    const reference =
      baseline && evaluation.task !== 'parity'
        ? { model: baseline, evaluation: await runJob(context, 'evaluate.start', { modelId: baseline.id, ...where }) }
        : null
    const backend = await context.backend()
    const difference =
      reference && (await backend.call('evaluations.difference', { baselineId: reference.evaluation.id, id: evaluation.id }))
    const drop = difference?.metric === 'accuracy' ? zeroless(-difference.difference) : null
    const gates = checkGates(options, { model: model.name, sizeBytes: model.sizeBytes, accuracyDrop: drop, latencyMs: null, speedup: null })
    return {
      document: {
        model: model.name,
        dataset: dataset.name,
        device: device.name,
        ...evaluation,
        ...(baseline && { baseline: { model: baseline.name, ...(reference && { metrics: reference.evaluation.metrics }) } }),
        ...(difference && { difference: differenceDocument(difference) }),
        ...(gates.length > 0 && { gates }),
      },
      text: [
        describeEvaluations(dataset, device.name, [...(reference ? [reference] : []), { model, evaluation }], baseline?.name),
        ...(difference ? ['', describeDifference(difference)] : []),
        ...(gates.length > 0 ? ['', gateLines(gates)] : []),
      ].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

/** An evaluated model. */
export interface EvaluatedModel {
  readonly model: Model
  readonly evaluation: Evaluation
}

/** The difference under its metric's name, as programs look for it (`difference.accuracy`), and how sure it is. */
function differenceDocument({ metric, difference, ci95, pValue, test }: MetricDifference) {
  return { [metric]: zeroless(difference), metric, ci95, pValue, test }
}

/** Without a minus before zero. */
function zeroless(value: number): number {
  return value === 0 ? 0 : value
}

function needsClasses(dataset: string): EdgesmithError {
  return new EdgesmithError(
    'USAGE',
    `--max-accuracy-drop needs a classifier and class labels, and ${dataset} gives this model no accuracy`,
    {
      hint: 'Use a dataset with labels, or leave the limit out: errors and parity are printed without one.',
    },
  )
}
