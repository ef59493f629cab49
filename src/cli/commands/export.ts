import { resolve } from 'node:path'
import { z } from 'zod'
import { formatBytes, formatCounted } from '../../backend/report/quantities.ts'
import { procedures } from '../../contract/procedures.ts'
import { serviceFieldSchema } from '../../contract/service.ts'
import { defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { required, setting, settingList, text } from '../option.ts'
import { readJsonFile } from '../read-json-file.ts'
import { findDataset, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'

const { shape } = procedures['export.start'].input

/** Files that are listed; the rest is counted. */
const listedFiles = 12

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Write what operations needs to serve a model without Edgesmith',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    format: required(setting('FORMAT', shape.format, 'what to write')),
    out: required(text('DIR', 'the folder to write; made if need be, must be empty')),
    name: setting('NAME', shape.service.unwrap(), shape.service.description),
    data: text(
      'DATASET',
      'path, name or id of samples: golden answers, the reference of drift (from 1,000 rows), names and ranges of fields',
    ),
    preprocess: {
      ...preprocessOption,
      description: 'JSON file with what the service does to values it is sent (default: what the build carries from its calibration data)',
    },
    fields: text('FILE', 'JSON file with names and ranges of single values: [{"input", "index", "name", "min", "max"}, …]'),
    embedding: setting('OUTPUT', shape.embedding.unwrap(), 'output that is answered only on request'),
    threads: setting('N', shape.threads, 'threads inside an operator'),
    arch: settingList(
      'LIST',
      shape.architectures.unwrap().element,
      'processors of docker and package, separated by commas (default x64,arm64)',
    ),
  },
  sections: () => [
    {
      title: 'Formats',
      rows: [
        ['package', 'one folder and one archive with model, server and start.sh: runs on Linux, needs nothing'],
        ['docker', 'Dockerfile, a slim one for boards, and a composition with Prometheus, Grafana, dashboard and alerts'],
        ['kserve', 'manifests for Kubernetes and k3s, and for KServe'],
        ['triton', 'a model repository for NVIDIA Triton'],
        ['python-client', 'a typed client for Python, standard library only'],
        ['ts-client', 'a typed client for TypeScript'],
      ],
    },
  ],
  notes: ['The model is served once on this computer first: what its own server does not take is not exported.'],
  examples: [
    'export model-int8.onnx --format package --out hand-over',
    'export model-int8.onnx --format docker --out image --data samples.npz --arch arm64',
  ],
  run: async (context, { format, out, data, fields: fieldsPath, preprocess, name, embedding, threads, arch }, { model: modelText }) => {
    const preprocessing = await readPreprocessing(context, preprocess)
    const fields =
      fieldsPath === undefined
        ? undefined
        : await readJsonFile(context.workingFolder, fieldsPath, z.array(serviceFieldSchema).max(10_000), 'USAGE')
    const model = await findModel(context, modelText)
    const dataset = data === undefined ? undefined : await findDataset(context, data)
    const result = await runJob(context, 'export.start', {
      modelId: model.id,
      format,
      folder: resolve(context.workingFolder, out),
      ...(name !== undefined && { service: name }),
      ...(preprocessing && { preprocessing }),
      ...(dataset && { datasetId: dataset.id }),
      ...(fields && { fields }),
      ...(embedding !== undefined && { embedding }),
      ...(threads !== undefined && { threads }),
      ...(arch !== undefined && { architectures: [...arch] }),
    })
    const { files, folder, notes } = result
    const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const shown = [...files].sort((a, b) => depth(a.path) - depth(b.path)).slice(0, listedFiles)
    return {
      document: { model: model.name, format, ...result },
      text: [
        `Wrote ${formatCounted(files.length, 'file')} (${formatBytes(total)}) to ${folder}`,
        ...shown.map(({ path, sizeBytes }) => `  ${path} (${formatBytes(sizeBytes)})`),
        ...(files.length > shown.length ? [`  … and ${files.length - shown.length} more; SHA256SUMS lists all`] : []),
        ...notes.map((note) => `- ${note}`),
      ].join('\n'),
    }
  },
})

function depth(path: string): number {
  return path.split('/').length
}
