import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DatasetFormat, DatasetSource } from '../../../contract/dataset.ts'
import type { EngineResult } from '../../../contract/engine-protocol.ts'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { JobReporter } from '../../../contract/job.ts'
import { answersArray } from '../../../core/datasets/match-inputs.ts'
import { describeDataset } from '../describe-dataset.ts'
import { datasetFormatOf } from '../find-dataset-files.ts'
import { sampleCountOf } from '../sample-count.ts'
import { importIdx } from './import-idx.ts'
import { importNpy } from './import-npy.ts'
import { importNpz } from './import-npz.ts'
import { importTable } from './import-table.ts'
import { nameAnswers } from './name-answers.ts'
import { ofRows, writeHashes, writeRows } from './row-files.ts'
import { IMPORT_LIMITS, type ImportOrder, type UnpackedDataset } from './unpacked.ts'

const importers: Readonly<
  Record<DatasetFormat, (order: ImportOrder, reporter: JobReporter) => UnpackedDataset | Promise<UnpackedDataset>>
> = {
  npz: importNpz,
  npy: importNpy,
  idx: importIdx,
  csv: importTable,
  // Loaded on demand: the image library takes longer to load than a small dataset to import.
  images: async (order, reporter) => (await import('./import-images.ts')).importImages(order, reporter),
}

/**
 * Imports what a user chose: unpacks it into plain arrays, checks every value, and describes it. All files are made in `order.outFolder`.
 * @throws EdgesmithError or CoreError: what the importers and {@link describeDataset} throw; `USAGE` for options that are for other formats
 */
export async function importDataset(order: ImportOrder, reporter: JobReporter): Promise<EngineResult<'import-dataset'>> {
  const format = await datasetFormatOf(order.path)
  refuseForeignOptions(order, format)
  const unpacked = nameAnswers(await importers[format](order, reporter), basename(order.path))
  const { arrays, originals, columns, classNames, preprocessing } = unpacked
  const files: DatasetSource['files'] = arrays.map(({ name, path }) => ({ role: 'array', name, path }))
  const source: DatasetSource = {
    format: 'arrays',
    name: basename(order.path),
    files,
    preprocessing,
    ...(columns && { columns: [...columns] }),
  }
  // Before memory for a hash of each is taken.
  const described = arrays.map(({ name, type, shape }) => ({ name, type, numeric: true, shape }))
  const samples = sampleCountOf({ arrays: described }, answersArray(described, []), source.name)
  if (samples > IMPORT_LIMITS.samples) {
    throw new EdgesmithError('TOO_LARGE', `${source.name} has ${samples} samples, at most ${IMPORT_LIMITS.samples} are read.`)
  }
  const { report, hashes } = await describeDataset(source, reporter)
  const originalBytes = originals === undefined ? 0 : (await stat(originals)).size
  const splits: EngineResult<'import-dataset'>['splits'] = []
  for (const { name, rows } of unpacked.splits) {
    const path = writeRows(rows, order.outFolder)
    const part = await describeDataset({ ...source, files: [...files, { role: 'rows', path }] }, reporter, ofRows(hashes, rows))
    splits.push({ split: name, rowsPath: path, report: part.report })
  }
  return {
    format,
    files: [
      ...arrays.map(({ name, path }) => ({ role: 'array' as const, name, path })),
      ...(originals === undefined ? [] : [{ role: 'originals' as const, name: 'originals', path: originals }]),
      { role: 'hashes', name: 'hashes', path: writeHashes(hashes, order.outFolder) },
    ],
    preprocessing,
    columns: columns && [...columns],
    classNames: classNames && [...classNames],
    report: { ...report, sizeBytes: report.sizeBytes + originalBytes, notes: [...unpacked.notes] },
    splits,
  }
}

function refuseForeignOptions({ path, labelsPath, csv, classes }: ImportOrder, format: DatasetFormat): void {
  const file = basename(path)
  const refuse = (what: string, whose: string, hint: string) =>
    new EdgesmithError('USAGE', `${what} ${whose}, and ${file} is ${words[format]}.`, { hint })
  if (labelsPath !== undefined && format !== 'idx' && format !== 'npy') {
    throw refuse('A labels file goes with IDX and .npy files', 'only', 'Leave it out: this kind of dataset holds its labels itself.')
  }
  if (csv !== undefined && format !== 'csv') throw refuse('Options for tables are', 'for .csv files', 'Leave them out.')
  if (classes !== undefined && format !== 'csv' && format !== 'images') {
    throw refuse('A list of classes is', 'for folders of images and .csv files', 'Leave it out: the labels are numbers already.')
  }
}

const words: Readonly<Record<DatasetFormat, string>> = {
  npz: 'an .npz archive',
  npy: 'an .npy array',
  idx: 'an IDX file',
  csv: 'a table',
  images: 'a folder of images',
}
