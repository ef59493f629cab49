import type { ExportFolder } from '../export-folder.ts'
import type { ExportContext, Exporter } from '../exporter.ts'
import { MODEL_FILE } from '../service-files.ts'
import { tritonConfig } from './model-config.ts'
import { protoText } from './proto-text.ts'
import { tritonReadme } from './triton-readme.ts'

const labelsFile = 'labels.txt'

/** A model repository for NVIDIA Triton Inference Server. */
export const tritonExporter: Exporter = {
  async write(context, folder) {
    const notes = await writeModelRepository(context, folder, 'model-repository/')
    await folder.text('README.md', tritonReadme(context, notes))
    return [
      ...notes,
      'Triton itself did not run here. Tests of Edgesmith check such a config.pbtxt against the names and types of its model_config.proto.',
    ]
  },
}

/** @returns what Triton will not do that our server does, and what is worth knowing */
export async function writeModelRepository(context: ExportContext, folder: ExportFolder, below: string): Promise<string[]> {
  const { service, model, modelPath, release, served } = context
  const labelled = labelledOutput(context)
  const { config, notes } = tritonConfig({
    name: service,
    model,
    batching: served.info.batching,
    threads: release.threads,
    labels: labelled === null ? null : { output: labelled, file: labelsFile },
  })
  await folder.text(`${below}${service}/config.pbtxt`, protoText(config))
  await folder.copy(`${below}${service}/1/${MODEL_FILE}`, modelPath, { sha256: model.sha256 })
  if (labelled !== null) await folder.text(`${below}${service}/${labelsFile}`, labelLines(release.labels ?? []))
  return [...notes, ...missingNotes(context, labelled)]
}

/** The output with a score for each class. */
function labelledOutput({ model, release }: ExportContext): string | null {
  const { labels, embedding } = release
  if (labels === null) return null
  const found = model.report.outputs.find(
    ({ name, shape }) => name !== embedding && shape !== null && shape.length <= 2 && shape.at(-1) === labels.length,
  )
  return found?.name ?? null
}

/** One a line, which is all the file can say. */
function labelLines(labels: readonly string[]): string {
  return labels.map((label) => `${label.replace(/[\r\n]+/g, ' ')}\n`).join('')
}

/** What of our server's work Triton will not do. */
function missingNotes({ release }: ExportContext, labelled: string | null): string[] {
  const { preprocessing, fields, driftReference, labels } = release
  const has = (text: string, is: boolean) => (is ? [text] : [])
  return [
    ...has(
      `Triton does not preprocess: send tensors as the model takes them. Our server would do this to values: ${JSON.stringify(preprocessing)}`,
      Object.keys(preprocessing).length > 0,
    ),
    ...has(
      'Ranges of fields are not checked by Triton.',
      fields.some(({ min, max }) => min !== null || max !== null),
    ),
    ...has('Triton does not watch for drift.', driftReference !== null),
    ...has('No output has a score for each of the class names: labels.txt was left out.', labels !== null && labelled === null),
    'Triton does not ask for a token: put it behind something that does before it is reachable.',
  ]
}
