import { formatMs, formatRatio } from '../../backend/report/quantities.ts'
import type { Explanation } from '../../contract/analysis.ts'
import { benchSettingsSchema } from '../../contract/measurement.ts'
import { procedures } from '../../contract/procedures.ts'
import { describeAccuracy } from '../accuracy-explanation-text.ts'
import { titledTable } from '../build-description.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { explanationLines } from '../explanation-text.ts'
import { setting, text } from '../option.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { verdictOf } from '../speed-check.ts'

/** Rows for people; `--json` has them all. */
const MAX_NODES = 15
const MAX_KERNELS = 12

export const explainCommand = defineCommand({
  name: 'explain',
  summary: 'Why a build is slower or faster than its baseline on a device, node by node, and with data why it is less accurate',
  positionals: {
    baseline: { description: 'the model it is compared with' },
    model: { description: 'the build that is explained' },
  },
  options: {
    device: deviceOption,
    batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference'),
    threads: threadsOption,
    data: text('DATASET', 'also explain the answers on this data: layer by layer, and with labels class by class'),
    samples: setting('N', procedures['explainAccuracy.start'].input.shape.samples),
    preprocess: preprocessOption,
  },
  notes: ['Times come from the profiler of ONNX Runtime, which costs time itself. compare says which is faster, and how sure that is.'],
  examples: [
    'explain model.onnx model-int8.onnx',
    'explain model.onnx model-int8.onnx --data test.npz',
    'explain model.onnx model-int8.onnx --device pi5 --json',
  ],
  run: async (context, options, { baseline: baselineText, model: modelText }) => {
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const baseline = await findModel(context, baselineText)
    const model = await findModel(context, modelText)
    const dataset = options.data === undefined ? null : await findDataset(context, options.data, preprocessing)
    const both = { baselineId: baseline.id, modelId: model.id, deviceId: device.id, threads: options.threads }
    const explanation = await runJob(context, 'explain.start', { ...both, batch: options.batch })
    const accuracy =
      dataset && (await runJob(context, 'explainAccuracy.start', { ...both, datasetId: dataset.id, samples: options.samples }))
    return {
      document: { baseline: baseline.name, model: model.name, device: device.name, ...explanation, ...(accuracy && { accuracy }) },
      text: [
        describe(baseline.name, model.name, explanation),
        ...(dataset && accuracy ? ['', describeAccuracy(baseline.name, model.name, dataset.name, accuracy)] : []),
      ].join('\n'),
    }
  },
})

function describe(baseline: string, model: string, explanation: Explanation): string {
  const { baselineMs, buildMs, nodes, kernels } = explanation
  const verdict = verdictOf(baselineMs, buildMs)
  const words = {
    faster: `is faster: ${formatRatio(baselineMs / buildMs)} the speed of ${baseline}`,
    slower: `is slower: it needs ${formatRatio(buildMs / baselineMs)} the time of ${baseline}`,
    'no difference shown': `takes about as long as ${baseline}`,
  }[verdict]
  return [
    `${model} ${words} (${formatMs(buildMs)} against ${formatMs(baselineMs)}).`,
    ...explanationLines(explanation).map((line) => `  ${line}`),
    ...(nodes.length > 0
      ? [
          '',
          titledTable(
            'Time by node, largest loss first:',
            [
              { title: 'node' },
              { title: 'before', align: 'right' },
              { title: 'after', align: 'right' },
              { title: 'lost', align: 'right' },
              { title: 'kernels before' },
              { title: 'kernels after' },
            ],
            nodes.map(({ node, baseline: before, build: after, lostMs }) => [
              node,
              formatMs(before?.ms),
              formatMs(after?.ms),
              formatMs(lostMs),
              before?.kernels.join(', ') ?? '',
              after?.kernels.join(', ') ?? '',
            ]),
            MAX_NODES,
          ),
        ]
      : []),
    ...(kernels.length > 0
      ? [
          '',
          titledTable(
            'Time by kernel:',
            [{ title: 'kernel' }, { title: 'before', align: 'right' }, { title: 'after', align: 'right' }],
            kernels.map(({ kernel, baselineMs: before, buildMs: after }) => [kernel, formatMs(before), formatMs(after)]),
            MAX_KERNELS,
          ),
        ]
      : []),
  ].join('\n')
}
