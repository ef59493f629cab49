import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model, ModelReport } from '../../contract/model.ts'
import { writeFileWhole } from '../../platform/write-file.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import { announce, type Services } from '../services.ts'

/** Import, listing, renaming, removal and export of models and builds. */
export function modelHandlers(services: Services): HandlersOf<'models'> {
  const { models, blobs } = services
  return {
    'models.list': () => models.list(),
    'models.inspect': ({ id }) => inspectModel(services, models.get(id)),
    'models.import': ({ path, name }) => importModel(services, path, name),
    'models.rename': ({ id, name }) => {
      const model = models.rename(id, name)
      announce(services, 'models')
      return model
    },
    'models.remove': async ({ id }) => {
      const unused = models.remove(id)
      if (unused) await blobs.remove(unused)
      announce(services, 'models')
      return {}
    },
    'models.export': ({ id, path }) => exportModel(services, models.get(id), path),
  }
}

/**
 * Reads and checks an .onnx file in an engine process and keeps a self-contained copy. The same bytes give the same model;
 * a build that was exported and comes back is that build.
 * Nothing is kept when any check fails.
 */
export async function importModel(services: Services, path: string, name: string | undefined): Promise<Model> {
  const { blobs, models, layout } = services
  const source = resolve(path)
  const temporary = await blobs.temporaryPath()
  let report: ModelReport
  try {
    report = await runEngine({ command: 'import-model', path: source, outPath: temporary }, { entry: layout.engineEntry })
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const { sha256, sizeBytes } = await blobs.adopt(temporary)
  const known = models.findByHash(sha256)
  if (known) return known
  const model = models.add({
    id: randomUUID(),
    name: name ?? displayName(source, '.onnx'),
    kind: 'model',
    sha256,
    sizeBytes,
    createdAt: new Date().toISOString(),
    report: withoutNodes(report),
    parentId: null,
    recipe: null,
    target: null,
    summary: null,
    source,
  })
  announce(services, 'models')
  return model
}

/** The full report of a stored model, nodes included. */
export function inspectModel(services: Services, model: Model): Promise<ModelReport> {
  const { blobs, layout } = services
  return runEngine({ command: 'inspect-model', path: blobs.path(model.sha256), name: model.name }, { entry: layout.engineEntry })
}

/** What is stored with the row: the node list is read again from the file when somebody looks. */
export function withoutNodes(report: ModelReport): Model['report'] {
  const { nodes: _nodes, nodesTruncated: _truncated, ...rest } = report
  return rest
}

/** A file's name as a display name: without folder and extension, control characters and over-length cut. */
export function displayName(path: string, extension: string): string {
  const name = basename(path, extension)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\\]/gu, ' ')
    .trim()
    .slice(0, 100)
  return name === '' ? 'unnamed' : name
}

/** Writes a copy of a model outside the store, whole or not at all. */
async function exportModel(services: Services, model: Model, path: string): Promise<{ path: string; sizeBytes: number }> {
  const target = resolve(path)
  await assertWritableFolder(dirname(target))
  await writeFileWhole(target, await readFile(services.blobs.path(model.sha256)))
  return { path: target, sizeBytes: model.sizeBytes }
}

/** @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_NOT_WRITABLE` */
export async function assertWritableFolder(folder: string): Promise<void> {
  const entry = await stat(folder).catch(() => undefined)
  if (!entry?.isDirectory())
    throw new EdgesmithError('FILE_NOT_FOUND', `There is no folder ${folder}`, { hint: 'Make it first, or choose another place.' })
  await access(folder, constants.W_OK).catch(() => {
    throw new EdgesmithError('FILE_NOT_WRITABLE', `No right to write in ${folder}`, { hint: 'Choose another place.' })
  })
}
