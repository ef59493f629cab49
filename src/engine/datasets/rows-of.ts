import type { DatasetSource } from '../../contract/dataset.ts'
import { openArrayFile } from './array-file.ts'

/** The rows of the whole dataset that a split consists of; undefined for a whole one. @throws EdgesmithError or CoreError `DATASET_INVALID` */
export function rowsOf(source: DatasetSource): Int32Array | undefined {
  const path = source.files.find(({ role }) => role === 'rows')?.path
  if (path === undefined) return undefined
  const file = openArrayFile(path, `The rows of the split ${source.name}`)
  try {
    return Int32Array.from(file.read(0, file.shape[0] ?? 0) as Int32Array)
  } finally {
    file.close()
  }
}
