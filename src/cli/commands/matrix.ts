import { dirname, resolve } from 'node:path'
import { assertWritableFolder } from '../../backend/use-cases/models.ts'
import { LOCAL_DEVICE_NAME } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { benchSettingsSchema } from '../../contract/measurement.ts'
import { defineCommand } from '../command.ts'
import { lengthOptions, lengthSettings, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { matrixText } from '../matrix-text.ts'
import { required, setting, text } from '../option.ts'
import { findDataset, findDevice, findModel, shortId } from '../references.ts'
import { reportPath } from '../report-path.ts'
import { runJob } from '../run-job.ts'

const { shape } = benchSettingsSchema

export const matrixCommand = defineCommand({
  name: 'matrix',
  summary: 'Latency of several builds on several devices in one job',
  positionals: { model: { description: 'models or builds; the first is what the others are compared with', many: true } },
  options: {
    device: required(text('NAME[,NAME…]', `the devices (${LOCAL_DEVICE_NAME} may be one of them)`)),
    data: text('DATASET', 'also evaluate every build on every device'),
    batch: setting('N', shape.batch, 'samples of one inference'),
    threads: threadsOption,
    runtime: setting('NAME', shape.runtime),
    ...lengthOptions,
    report: text('FILE', 'also write a report to this file: .html, .pdf, .md, .json or .csv'),
    preprocess: preprocessOption,
  },
  notes: [
    'Devices work at the same time, builds of a device one after the other. A device that fails is told and the others go on; the command fails only when nothing could be measured.',
    'For a verdict between close builds use compare, which measures in turns.',
  ],
  examples: [
    'matrix model.onnx model-int8.onnx --device pi4,pi5,orin',
    'matrix model-int8.onnx --device pi4,pi5 --data test.npz --report boards.html --json',
  ],
  run: async (context, options, { model: modelTexts }) => {
    const report = options.report === undefined ? null : reportPath(context.workingFolder, options.report)
    if (report !== null) await assertWritableFolder(dirname(resolve(report)))
    const names = options.device.split(',').map((name) => name.trim())
    if (names.includes(''))
      throw new EdgesmithError('USAGE', '--device has an empty name', { hint: 'Separate names by single commas: pi4,pi5' })
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const deviceIds: string[] = []
    for (const name of names) deviceIds.push((await findDevice(context, name)).id)
    const modelIds: string[] = []
    for (const modelText of modelTexts) modelIds.push((await findModel(context, modelText)).id)
    const dataset = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const { batch, threads, runtime } = options
    const matrix = await runJob(context, 'matrix.start', {
      modelIds,
      deviceIds,
      settings: { ...lengthSettings(options), batch, threads, runtime },
      datasetId: dataset?.id,
    })
    const backend = await context.backend()
    const written = report === null ? null : await backend.call('report.write', { matrixIds: [matrix.id], path: report })
    return {
      document: { ...matrix, ...(written && { report: written }) },
      text: [
        matrixText(matrix),
        '',
        written ? `Report: ${written.path}` : `Report: edgesmith report ${shortId(matrix.id)} --out report.html`,
      ].join('\n'),
    }
  },
})
