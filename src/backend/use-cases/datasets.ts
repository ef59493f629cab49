import { randomUUID } from 'node:crypto'
import { basename, resolve } from 'node:path'
import type { Dataset, DatasetSource, Preprocessing } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { findDatasetFiles } from '../../engine/datasets/find-dataset-files.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import { announce, type Services } from '../services.ts'
import { displayName } from './models.ts'

/** Import, listing and removal of datasets. */
export function datasetHandlers(services: Services): HandlersOf<'datasets'> {
  const { datasets, blobs } = services
  return {
    'datasets.list': () => datasets.list(),
    'datasets.import': (input) => importDataset(services, input),
    'datasets.remove': async ({ id }) => {
      for (const sha256 of datasets.remove(id)) await blobs.remove(sha256)
      announce(services, 'datasets')
      return {}
    },
  }
}

interface DatasetImport {
  readonly path: string
  readonly labelsPath?: string | undefined
  readonly name?: string | undefined
  readonly preprocessing?: Preprocessing | undefined
}

/** Reads a dataset once, whole, in an engine process, and keeps its files. Nothing is kept when it is broken. */
export async function importDataset(services: Services, input: DatasetImport): Promise<Dataset> {
  const { blobs, datasets, layout } = services
  const path = resolve(input.path)
  const source: DatasetSource = {
    name: basename(path),
    preprocessing: input.preprocessing ?? {},
    ...(await findDatasetFiles(path, input.labelsPath && resolve(input.labelsPath))),
  }
  const report = await runEngine({ command: 'describe-dataset', source }, { entry: layout.engineEntry })
  const files: Dataset['files'] = []
  for (const file of source.files) {
    const { sha256 } = await blobs.put(file.path)
    files.push({ role: file.role, sha256, name: basename(file.path) })
  }
  const same = datasets.findSame({ files, preprocessing: source.preprocessing })
  if (same) return same
  const dataset = datasets.add({
    id: randomUUID(),
    name: input.name ?? displayName(path.replace(/\.gz$/i, ''), '.npz'),
    format: source.format,
    files,
    preprocessing: source.preprocessing,
    report,
    createdAt: new Date().toISOString(),
    source: path,
  })
  announce(services, 'datasets')
  return dataset
}

/** @throws EdgesmithError `DATASET_LABELS` when accuracy cannot be measured on it */
export function requireLabels(dataset: Dataset): void {
  if (dataset.report.labelled) return
  throw new EdgesmithError('DATASET_LABELS', `The dataset "${dataset.name}" has no labels: accuracy cannot be measured on it`, {
    hint: 'Give a dataset with labels, or leave it out.',
  })
}

/** How a stored dataset is read; `pathOf` tells where a file lies (here, or on a device). */
export function datasetSource(dataset: Dataset, pathOf: (sha256: string) => string): DatasetSource {
  return {
    format: dataset.format,
    name: dataset.name,
    files: dataset.files.map(({ role, sha256 }) => ({ role, path: pathOf(sha256) })),
    preprocessing: dataset.preprocessing,
  }
}
