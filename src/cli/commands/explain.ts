import { formatMs, formatRatio } from '../../backend/report/quantities.ts'
import { benchSettingsSchema, type Explanation } from '../../contract/measurement.ts'
import { titledTable } from '../build-description.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, threadsOption } from '../common-options.ts'
import { explanationLines } from '../explanation-text.ts'
import { setting } from '../option.ts'
import { findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { verdictOf } from '../speed-check.ts'

/** Rows for people; `--json` has them all. */
const MAX_NODES = 15
const MAX_KERNELS = 12

export const explainCommand = defineCommand({
  name: 'explain',
  summary: 'Why a build is slower or faster than its baseline on a device, node by node',
  positionals: {
    baseline: { description: 'the model it is compared with' },
    model: { description: 'the build whose time is explained' },
  },
  options: {
    device: deviceOption,
    batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference'),
    threads: threadsOption,
  },
  notes: ['Times come from the profiler of ONNX Runtime, which costs time itself. compare says which is faster, and how sure that is.'],
  examples: ['explain model.onnx model-int8.onnx', 'explain model.onnx model-int8.onnx --device pi5 --json'],
  run: async (context, options, { baseline: baselineText, model: modelText }) => {
    const device = await findDevice(context, options.device)
    const baseline = await findModel(context, baselineText)
    const model = await findModel(context, modelText)
    const explanation = await runJob(context, 'explain.start', {
      baselineId: baseline.id,
      modelId: model.id,
      deviceId: device.id,
      batch: options.batch,
      threads: options.threads,
    })
    return {
      document: { baseline: baseline.name, model: model.name, device: device.name, ...explanation },
      text: describe(baseline.name, model.name, explanation),
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
