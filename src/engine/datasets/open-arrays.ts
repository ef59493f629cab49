import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ArrayDescription } from '../../core/datasets/match-inputs.ts'
import type { SampleArray } from '../../core/datasets/numeric-array.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { type ArrayFile, openArrayFile } from './array-file.ts'
import type { DatasetArrays } from './dataset-arrays.ts'

/**
 * Opens a dataset of plain .npy files, one for each array. Memory: a window for each array that is read.
 *
 * @throws EdgesmithError or CoreError: `DATASET_INVALID` for a file without a name or two of the same name, and what `openArrayFile` throws
 */
export function openArrays(source: DatasetSource): DatasetArrays {
  const files = arrayFiles(source)
  const opened = new Map<string, ArrayFile>()
  const read = new Map<string, SampleArray>()
  const where = (name: string) => `Array ${quoteName(name)} of ${source.name}`
  const close = () => {
    for (const file of opened.values()) file.close()
    opened.clear()
    read.clear()
  }
  let sizeBytes = 0
  const arrays = [...files].map(([name, path]): ArrayDescription => {
    // Closed again: a dataset may have more arrays than a process may have files open.
    const file = openArrayFile(path, where(name))
    file.close()
    sizeBytes += file.sizeBytes
    return { name, type: file.type, numeric: true, shape: file.shape }
  })
  return {
    arrays,
    sizeBytes,
    close,
    read: (name) => {
      const known = read.get(name)
      if (known) return known
      const path = files.get(name)
      if (path === undefined) throw new Error(`no array ${name}`)
      const file = openArrayFile(path, where(name))
      opened.set(name, file)
      const array: SampleArray = { name, type: file.type, shape: file.shape, readInto: (target, from) => file.readInto(target, from) }
      read.set(name, array)
      return array
    },
  }
}

function arrayFiles({ files, name: dataset }: DatasetSource): ReadonlyMap<string, string> {
  const paths = new Map<string, string>()
  for (const { role, name, path } of files) {
    if (role !== 'array') continue
    if (name === undefined || paths.has(name)) {
      const problem = name === undefined ? 'an array without a name' : `two arrays called ${quoteName(name)}`
      throw new EdgesmithError('DATASET_INVALID', `${quoteName(dataset)} has ${problem}.`, { hint: 'Import the dataset again.' })
    }
    paths.set(name, path)
  }
  return paths
}
