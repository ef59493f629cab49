import type { ExportFolder } from './export-folder.ts'
import type { ExportContext } from './exporter.ts'
import { json } from './service-files.ts'

/** The exact OpenAPI document, and an example with its answer where there is one. */
export async function writeModelDocuments(folder: ExportFolder, below: string, { served }: ExportContext): Promise<void> {
  await folder.text(`${below}openapi.json`, json(served.openApi))
  if (served.example === null) return
  await folder.text(`${below}example-request.json`, `${JSON.stringify(served.example.request)}\n`)
  await folder.text(`${below}example-answer.json`, json(served.example.answer))
}
