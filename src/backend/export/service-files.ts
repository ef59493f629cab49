import type { Routing } from '../../contract/routing.ts'
import type { ServiceSettingsFile } from '../../contract/service.ts'
import type { ExportFolder } from './export-folder.ts'
import type { ExportContext } from './exporter.ts'

/** Name of a release's model in an exported service, beside its `release.json`. */
export const MODEL_FILE = 'model.onnx'

/** Port of exported services; one that containers' users expect. */
export const SERVICE_PORT = 8080

/** What `agent serve FOLDER` reads, without a token: whoever runs it makes one. */
export async function writeServiceFolder(
  folder: ExportFolder,
  below: string,
  { releaseId, releaseText, modelPath, model }: ExportContext,
  settings: ServiceSettingsFile,
): Promise<void> {
  const routing: Routing = { version: 1, current: releaseId, previous: null, beside: [], watch: null }
  await folder.text(`${below}service.json`, json(settings))
  await folder.text(`${below}routing.json`, json(routing))
  await folder.text(`${below}releases/${releaseId}/release.json`, releaseText)
  await folder.copy(`${below}releases/${releaseId}/${MODEL_FILE}`, modelPath, { sha256: model.sha256 })
}

/** JSON as files of exports hold it. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}
