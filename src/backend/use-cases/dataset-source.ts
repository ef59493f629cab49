import type { Dataset, DatasetSource } from '../../contract/dataset.ts'

/** Files that are needed to read samples; the others are for making and looking at them, on this computer only. */
const RUN_TIME_ROLES: ReadonlySet<string> = new Set(['array', 'rows', 'samples', 'labels'])

/** Files of a dataset that a device needs. */
export function runTimeFiles(dataset: Dataset): Dataset['files'] {
  return dataset.files.filter(({ role }) => RUN_TIME_ROLES.has(role))
}

/** How the samples of a stored dataset are read; `pathOf` tells where a file lies (here, or on a device). */
export function datasetSource(dataset: Dataset, pathOf: (sha256: string) => string): DatasetSource {
  return sourceOf(dataset, runTimeFiles(dataset), pathOf)
}

/** The same with the files that only this computer has: image files and hashes. */
export function wholeSource(dataset: Dataset, pathOf: (sha256: string) => string): DatasetSource {
  return sourceOf(dataset, dataset.files, pathOf)
}

function sourceOf(
  { name, format, preprocessing, columns }: Dataset,
  files: Dataset['files'],
  pathOf: (sha256: string) => string,
): DatasetSource {
  const plain = files.some(({ role }) => role === 'array')
  return {
    // Datasets of version 1 are kept as they came: .npz or IDX.
    format: plain ? 'arrays' : format === 'idx' ? 'idx' : 'npz',
    name,
    files: files.map(({ role, sha256, name: own }) => ({ role, path: pathOf(sha256), ...(role === 'array' && { name: own }) })),
    preprocessing,
    ...(columns && { columns }),
  }
}
