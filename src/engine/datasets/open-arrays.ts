import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ArrayDescription } from '../../core/datasets/match-inputs.ts'
import { arrayText, type SampleArray } from '../../core/datasets/numeric-array.ts'
import { selectRows } from '../../core/datasets/select-rows.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { type ArrayFile, openArrayFile } from './array-file.ts'
import type { DatasetArrays } from './dataset-arrays.ts'

/**
 * Opens a dataset of plain .npy files, one for each array, and of a split the rows it consists of. Memory: a window for each array that is
 * read, and four bytes for each row of a split.
 *
 * @throws EdgesmithError or CoreError: `DATASET_INVALID` for a file without a name, two of the same name or broken rows,
 *   `DATASET_EMPTY` for a split without rows, and what `openArrayFile` throws
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
  const rows = readRows(source)
  let sizeBytes = 0
  const arrays = [...files].map(([name, path]): ArrayDescription => {
    // Closed again: a dataset may have more arrays than a process may have files open.
    const file = openArrayFile(path, where(name))
    file.close()
    sizeBytes += file.sizeBytes
    const { type, shape } = file
    return { name, type, numeric: true, shape: rows && shape.length > 0 ? [rows.length, ...shape.slice(1)] : shape }
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
      const named: SampleArray = { name, type: file.type, shape: file.shape, readInto: (target, from) => file.readInto(target, from) }
      const array = rows && file.shape.length > 0 ? selectRows(named, rows, `The split ${quoteName(source.name)}`) : named
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

/** The rows of a split, `undefined` for a whole dataset. */
function readRows({ files, name: dataset }: DatasetSource): Int32Array | undefined {
  const [given, more] = files.filter(({ role }) => role === 'rows')
  if (!given) return undefined
  const file = openArrayFile(given.path, `The rows of the split ${quoteName(dataset)}`)
  try {
    const { type, shape } = file
    if (more !== undefined || type !== 'int32' || shape.length !== 1) {
      throw new EdgesmithError(
        'DATASET_INVALID',
        `The rows of the split ${quoteName(dataset)} are ${more === undefined ? arrayText(type, shape) : 'in several files'}, expected one int32[N].`,
        { hint: 'Divide the dataset again.' },
      )
    }
    const count = shape[0] as number
    if (count === 0)
      throw new EdgesmithError('DATASET_EMPTY', `The split ${quoteName(dataset)} holds no row.`, { hint: 'Give it a larger share.' })
    return file.read(0, count) as Int32Array
  } finally {
    file.close()
  }
}
