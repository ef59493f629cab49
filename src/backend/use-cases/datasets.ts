import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import type { Dataset, DuplicatesReport, PreparedSample, SampleView } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { peekTable } from '../../engine/datasets/import/peek-table.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { withMadeFiles } from './dataset-files.ts'
import { setPreprocessing } from './dataset-preprocessing.ts'
import { wholeSource } from './dataset-source.ts'
import { addOnce, importDataset, splitName } from './import-dataset.ts'

/** Decoding and hashing take a processor: beside others of their kind, never beside a timed job. */
const MACHINE = { key: 'local', mode: 'shared' } as const

/** Import, listing, changing, dividing, looking at, and removal of datasets. */
export function datasetHandlers(services: Services): HandlersOf<'datasets'> {
  const { datasets, blobs, queue } = services
  return {
    'datasets.list': () => datasets.list(),
    'datasets.import': (input) => ({
      jobId: queue.start({
        kind: 'datasets.import',
        title: `Import ${basename(input.path)}`,
        machine: MACHINE,
        run: (context) => importDataset(services, input, context),
      }),
    }),
    'datasets.table': ({ path, delimiter }) => peekTable(path, delimiter),
    'datasets.setPreprocessing': ({ id, preprocessing }) => ({
      jobId: queue.start({
        kind: 'datasets.setPreprocessing',
        title: `Change the preprocessing of ${datasets.get(id).name}`,
        machine: MACHINE,
        run: (context) => setPreprocessing(services, id, preprocessing, context),
      }),
    }),
    'datasets.split': (input) => {
      const dataset = datasets.get(input.id)
      requireDifferentNames(input.parts)
      return {
        jobId: queue.start({
          kind: 'datasets.split',
          title: `Divide ${dataset.name}`,
          machine: MACHINE,
          run: (context) => splitDataset(services, dataset, input, context),
        }),
      }
    },
    'datasets.rename': ({ id, name }) => {
      datasets.get(id)
      const renamed = datasets.rename(id, name)
      announce(services, 'datasets')
      return renamed
    },
    'datasets.samples': (input) => viewSamples(services, input),
    'datasets.preview': (input) => previewSample(services, input),
    'datasets.duplicates': ({ ids }) => findDuplicates(services, ids),
    'datasets.remove': async ({ id }) => {
      for (const sha256 of datasets.remove(id)) await blobs.remove(sha256)
      announce(services, 'datasets')
      return {}
    },
  }
}

/** @throws EdgesmithError `DATASET_LABELS` when accuracy cannot be measured on it */
export function requireLabels(dataset: Dataset): void {
  if (dataset.report.labelled) return
  throw new EdgesmithError('DATASET_LABELS', `The dataset "${dataset.name}" has no labels: accuracy cannot be measured on it`, {
    hint: 'Give a dataset with labels, or leave it out.',
  })
}

function requireDifferentNames(parts: ProcedureArguments<'datasets.split'>['parts']): void {
  const twice = parts.find(({ name }, index) => parts.findIndex((other) => other.name === name) !== index)
  if (twice) throw new EdgesmithError('USAGE', `Two parts are called "${twice.name}"`)
}

/** Divides a dataset; a part that is there already is not made twice. */
async function splitDataset(
  services: Services,
  dataset: Dataset,
  { parts, seed, stratify }: ProcedureArguments<'datasets.split'>,
  context: JobContext,
): Promise<Dataset[]> {
  return withMadeFiles(services, context.signal, async ({ folder, keep }) => {
    const made = await runEngine(
      {
        command: 'split-dataset',
        source: wholeSource(dataset, services.blobs.path.bind(services.blobs)),
        parts,
        seed,
        stratify,
        outFolder: folder,
      },
      { entry: services.layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
    )
    const rows: Dataset['files'] = []
    for (const { rowsPath } of made) rows.push(await keep({ role: 'rows', name: 'rows', path: rowsPath }))
    const shared = dataset.files.filter(({ role }) => role !== 'rows')
    const splits = services.datasets.transaction(() =>
      made.map(({ split, report }, index) =>
        addOnce(services, {
          // As it is now: it may have been renamed meanwhile, or removed.
          ...services.datasets.get(dataset.id),
          id: randomUUID(),
          name: splitName(dataset.name, split),
          files: [...shared, rows[index] as Dataset['files'][number]],
          report,
          parentId: dataset.id,
          split,
          createdAt: new Date().toISOString(),
        }),
      ),
    )
    announce(services, 'datasets')
    return splits
  })
}

function viewSamples(
  { datasets, blobs, layout }: Services,
  { id, ...choice }: ProcedureArguments<'datasets.samples'>,
): Promise<{ total: number; samples: SampleView[] }> {
  const dataset = datasets.get(id)
  const source = wholeSource(dataset, (sha256) => blobs.path(sha256))
  return runEngine({ command: 'view-samples', source, classNames: dataset.classNames, choice }, { entry: layout.engineEntry })
}

function previewSample(
  { datasets, models, blobs, layout }: Services,
  { id, preprocessing, index, modelId }: ProcedureArguments<'datasets.preview'>,
): Promise<PreparedSample> {
  const source = wholeSource(datasets.get(id), (sha256) => blobs.path(sha256))
  const modelPath = modelId === undefined ? null : blobs.path(models.get(modelId).sha256)
  return runEngine({ command: 'preview-sample', source, preprocessing, index, modelPath }, { entry: layout.engineEntry })
}

async function findDuplicates({ datasets, blobs, layout }: Services, ids: readonly string[]): Promise<DuplicatesReport> {
  const chosen = [...new Set(ids)].map((id) => datasets.get(id))
  const sources = chosen.map((dataset) => wholeSource(dataset, (sha256) => blobs.path(sha256)))
  const pairs = await runEngine({ command: 'find-duplicates', sources }, { entry: layout.engineEntry })
  return { pairs: pairs.map((pair) => ({ ...pair, a: (chosen[pair.a] as Dataset).id, b: (chosen[pair.b] as Dataset).id })) }
}
