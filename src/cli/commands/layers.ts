import { formatDecibels, formatMs, NOTHING } from '../../backend/report/quantities.ts'
import type { LayerComparison } from '../../contract/analysis.ts'
import { benchSettingsSchema } from '../../contract/measurement.ts'
import { procedures } from '../../contract/procedures.ts'
import { titledTable } from '../build-description.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { setting, text } from '../option.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'

/** Rows for people; `--json` has them all. */
const MAX_LAYERS = 60

export const layersCommand = defineCommand({
  name: 'layers',
  summary: 'Two builds layer by layer on a device: time, number type, and how far their tensors are apart',
  positionals: {
    baseline: { description: 'the model it is compared with' },
    model: { description: 'the build' },
  },
  options: {
    data: text('DATASET', 'samples that tensors are compared on; left out: made-up inputs'),
    samples: setting('N', procedures['layers.start'].input.shape.samples, 'samples that tensors are compared on'),
    device: deviceOption,
    batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference that is timed'),
    threads: threadsOption,
    preprocess: preprocessOption,
  },
  notes: [
    'Tensors are compared with both models run as written, without graph optimizations. The graphs for drawing are left out of --json.',
  ],
  examples: ['layers model.onnx model-int8.onnx --data test.npz', 'layers model.onnx model-fp16.onnx --device pi5 --json'],
  run: async (context, options, { baseline: baselineText, model: modelText }) => {
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const baseline = await findModel(context, baselineText)
    const model = await findModel(context, modelText)
    const dataset = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const analysis = await runJob(context, 'layers.start', {
      baselineId: baseline.id,
      modelId: model.id,
      deviceId: device.id,
      datasetId: dataset?.id,
      samples: options.samples,
      batch: options.batch,
      threads: options.threads,
    })
    if (analysis.kind !== 'layers') throw new Error(`a layer comparison was asked for, found ${analysis.kind}`)
    const { baselineGraph: _, buildGraph: __, ...result } = analysis.result
    return {
      document: { id: analysis.id, baseline: baseline.name, model: model.name, device: device.name, ...result },
      text: describe(baseline.name, model.name, result),
    }
  },
})

function describe(baseline: string, model: string, comparison: Omit<LayerComparison, 'baselineGraph' | 'buildGraph'>): string {
  const { baselineMs, buildMs, layers, samples, inputs, warnings } = comparison
  return [
    `${model} beside ${baseline}: ${formatMs(buildMs)} against ${formatMs(baselineMs)}; tensors on ${samples} samples (${inputs}).`,
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
    titledTable(
      'Layers in the order of the graph:',
      [
        { title: 'layer' },
        { title: 'operator' },
        { title: 'before', align: 'right' },
        { title: 'after', align: 'right' },
        { title: 'lost', align: 'right' },
        { title: 'type before' },
        { title: 'type after' },
        { title: 'signal to noise', align: 'right' },
      ],
      layers.map(({ layer, op, baseline: before, build: after, lostMs, sqnrDb, maxAbsDiff }) => [
        layer,
        op,
        formatMs(before?.ms),
        formatMs(after?.ms),
        formatMs(lostMs),
        before?.precision ?? '',
        after?.precision ?? '',
        sqnrDb === null && maxAbsDiff === null ? NOTHING : formatDecibels(sqnrDb),
      ]),
      MAX_LAYERS,
    ),
  ].join('\n')
}
