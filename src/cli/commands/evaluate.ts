import { formatCount, formatInterval, formatPercent, formatPoints, formatSignificant, formatSpan } from '../../backend/report/quantities.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Evaluation } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { required, text } from '../option.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { textTable } from '../text-table.ts'

export const evaluateCommand = defineCommand({
  name: 'evaluate',
  summary: 'Accuracy of a model on labelled data, measured on a device',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    data: required(text('DATASET', 'path or name of labelled data')),
    baseline: text('MODEL', 'evaluate this one too and print the difference'),
    device: deviceOption,
    threads: threadsOption,
    preprocess: preprocessOption,
    'max-accuracy-drop': gateOptions['max-accuracy-drop'],
  },
  notes: ['Whether a difference is more than chance is answered by edgesmith compare (exact McNemar test).'],
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
    const evaluate = (evaluated: Model) =>
      runJob(context, 'evaluate.start', { modelId: evaluated.id, datasetId: dataset.id, deviceId: device.id, threads: options.threads })
    const reference = baseline && { model: baseline, evaluation: await evaluate(baseline) }
    const evaluation = await evaluate(model)
    const drop = reference && reference.evaluation.metrics.accuracy - evaluation.metrics.accuracy
    const gates = checkGates(options, { model: model.name, sizeBytes: model.sizeBytes, accuracyDrop: drop, latencyMs: null, speedup: null })
    return {
      document: {
        model: model.name,
        dataset: dataset.name,
        device: device.name,
        ...evaluation,
        ...(reference && {
          baseline: { model: reference.model.name, metrics: reference.evaluation.metrics },
          difference: { accuracy: drop === 0 ? 0 : -(drop ?? 0) },
        }),
        ...(gates.length > 0 && { gates }),
      },
      text: [
        describe(dataset.name, device.name, [...(reference ? [reference] : []), { model, evaluation }]),
        ...(drop === null ? [] : [`difference in accuracy: ${formatPoints(-drop)}`]),
        ...(gates.length > 0 ? ['', gateLines(gates)] : []),
      ].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

function describe(dataset: string, device: string, results: readonly { model: Model; evaluation: Evaluation }[]): string {
  const [first] = results
  return [
    `${dataset} on ${device}: ${formatCount(first?.evaluation.samples)} samples, ${formatCount(first?.evaluation.classes)} classes`,
    '',
    textTable(
      [
        { title: 'model' },
        { title: 'accuracy', align: 'right' },
        { title: '95 % interval', align: 'right' },
        { title: 'top-5', align: 'right' },
        { title: 'F1 macro', align: 'right' },
        { title: 'time', align: 'right' },
      ],
      results.map(({ model, evaluation: { metrics, durationMs } }) => [
        model.name,
        formatPercent(metrics.accuracy),
        formatInterval(metrics.accuracyCi95, formatPercent),
        formatPercent(metrics.top5),
        formatSignificant(metrics.f1Macro),
        formatSpan(durationMs),
      ]),
    ),
  ].join('\n')
}
