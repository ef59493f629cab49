import { formatBytes, formatCount, formatMs, formatPercent, formatSignificant, NOTHING } from '../../backend/report/quantities.ts'
import type { ProfileResult } from '../../contract/analysis.ts'
import { benchSettingsSchema } from '../../contract/measurement.ts'
import { titledTable } from '../build-description.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, threadsOption } from '../common-options.ts'
import { setting } from '../option.ts'
import { findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { factList } from '../text-table.ts'

/** Rows for people; `--json` has them all. */
const MAX_LAYERS = 20
const MAX_OPERATORS = 12

export const profileCommand = defineCommand({
  name: 'profile',
  summary: 'Where the time of a model goes on a device: by layer and operator, with multiply-accumulates, bytes and the machine’s peak',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    device: deviceOption,
    batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference'),
    threads: threadsOption,
  },
  notes: ['Times of kernels come from the profiler of ONNX Runtime, which costs time itself; the plain time is measured without it.'],
  examples: ['profile model.onnx', 'profile model-int8.onnx --device pi5 --threads 4 --json'],
  run: async (context, options, { model: modelText }) => {
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const analysis = await runJob(context, 'profile.start', {
      modelId: model.id,
      deviceId: device.id,
      batch: options.batch,
      threads: options.threads,
    })
    if (analysis.kind !== 'profile') throw new Error(`a profile was asked for, found ${analysis.kind}`)
    return {
      document: { id: analysis.id, model: model.name, device: device.name, ...analysis.result },
      text: describe(model.name, device.name, analysis.result),
    }
  },
})

function describe(model: string, device: string, profile: ProfileResult): string {
  const { plainMs, profiledMs, runs, byOp, byLayer, peak, warnings } = profile
  const total = byLayer.reduce((sum, { ms }) => sum + ms, 0)
  const slowest = [...byLayer].sort((a, b) => b.ms - a.ms)
  return [
    `${model} on ${device}`,
    factList([
      ['one inference', `${formatMs(plainMs)} (${formatMs(profiledMs)} with the profiler, median of ${formatCount(runs)} runs)`],
      [
        'machine peak',
        peak &&
          `${formatSignificant(peak.gmacsFloat32)} GMAC/s in float32, ${formatSignificant(peak.gmacsInt8)} in 8 bits, ${formatSignificant(peak.gbPerSecond)} GB/s`,
      ],
    ]),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
    titledTable(
      'Layers, most time first:',
      [
        { title: 'layer' },
        { title: 'operator' },
        { title: 'kernels' },
        { title: 'type' },
        { title: 'time', align: 'right' },
        { title: 'share', align: 'right' },
        { title: 'MACs', align: 'right' },
        { title: 'GMAC/s', align: 'right' },
        { title: 'bytes', align: 'right' },
      ],
      slowest.map(({ layer, op, kernels, precision, ms, macs, bytes }) => [
        layer,
        op,
        kernels.join(', '),
        precision,
        formatMs(ms),
        total > 0 ? formatPercent(ms / total) : NOTHING,
        formatCount(macs),
        macs !== null && macs > 0 && ms > 0 ? formatSignificant(macs / ms / 1e6) : NOTHING,
        formatBytes(bytes),
      ]),
      MAX_LAYERS,
    ),
    '',
    titledTable(
      'Operators:',
      [
        { title: 'kernel' },
        { title: 'count', align: 'right' },
        { title: 'time', align: 'right' },
        { title: 'share', align: 'right' },
        { title: 'MACs', align: 'right' },
      ],
      byOp.map(({ kernel, count, ms, macs }) => [
        kernel,
        formatCount(count),
        formatMs(ms),
        total > 0 ? formatPercent(ms / total) : NOTHING,
        formatCount(macs),
      ]),
      MAX_OPERATORS,
    ),
  ].join('\n')
}
