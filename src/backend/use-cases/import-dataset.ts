import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import type { Dataset } from '../../contract/dataset.ts'
import type { EngineResult } from '../../contract/engine-protocol.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { withMadeFiles } from './dataset-files.ts'
import { displayName } from './models.ts'

/** A dataset and the parts it came in. */
export interface ImportedDataset {
  readonly dataset: Dataset
  readonly splits: Dataset[]
}

/**
 * Reads a dataset in an engine process, which unpacks it into plain arrays, and keeps those. The same content read in the same way is one dataset.
 * Nothing is kept when it is broken or the job is cancelled.
 */
export async function importDataset(
  services: Services,
  input: Omit<ProcedureArguments<'datasets.import'>, 'name'> & { readonly name?: string | undefined },
  context?: JobContext,
): Promise<ImportedDataset> {
  const path = resolve(input.path)
  return withMadeFiles(services, context?.signal, async ({ folder, keep }) => {
    const made = await runEngine(
      {
        command: 'import-dataset',
        path,
        outFolder: folder,
        preprocessing: input.preprocessing,
        csv: input.csv,
        classes: input.classes,
        ...(input.labelsPath !== undefined && { labelsPath: resolve(input.labelsPath) }),
      },
      {
        entry: services.layout.engineEntry,
        ...(context && { reporter: context, signal: context.signal, onPid: (pid: number | null) => context.enginePid(pid) }),
      },
    )
    for (const note of made.report.notes) context?.log(note)
    const files: Dataset['files'] = []
    for (const file of made.files) files.push(await keep(file))
    const rows: Dataset['files'] = []
    for (const { rowsPath } of made.splits) rows.push(await keep({ role: 'rows', name: 'rows', path: rowsPath }))
    const imported = services.datasets.transaction(() => addAll(services, made, files, rows, input.name ?? nameOf(path), path))
    announce(services, 'datasets')
    return imported
  })
}

function addAll(
  services: Services,
  made: EngineResult<'import-dataset'>,
  files: Dataset['files'],
  rows: Dataset['files'],
  name: string,
  path: string,
): ImportedDataset {
  const { format, preprocessing, columns, classNames, report } = made
  const common = { format, preprocessing, columns, classNames, source: path, createdAt: new Date().toISOString() }
  const dataset = addOnce(services, { ...common, id: randomUUID(), name, files, report, parentId: null, split: null })
  const splits = made.splits.map((part, index) =>
    addOnce(services, {
      ...common,
      id: randomUUID(),
      name: splitName(dataset.name, part.split),
      files: [...files, rows[index] as Dataset['files'][number]],
      report: part.report,
      parentId: dataset.id,
      split: part.split,
    }),
  )
  return { dataset, splits }
}

/** The dataset that is there already, or the new one. */
export function addOnce({ datasets }: Services, dataset: Dataset): Dataset {
  return datasets.findSame(dataset) ?? datasets.add(dataset)
}

/** `mnist train`: what a part is called. */
export function splitName(dataset: string, split: string): string {
  const plain = split.replace(/[\p{Cc}\p{Zl}\p{Zp}/\\]/gu, ' ').trim()
  return `${dataset.slice(0, 60)} ${plain === '' ? 'unnamed' : plain.slice(0, 40)}`
}

function nameOf(path: string): string {
  return displayName(path.replace(/\.gz$/i, ''), /\.(?:npz|npy|csv|tsv|txt)$/i.exec(path)?.[0] ?? '')
}
