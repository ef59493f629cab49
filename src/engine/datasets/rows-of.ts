import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { arrayText } from '../../core/datasets/numeric-array.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { openArrayFile } from './array-file.ts'

/**
 * The rows of the whole dataset that a split consists of; undefined for a whole one.
 * @throws EdgesmithError or CoreError `DATASET_INVALID`, `DATASET_EMPTY` for a split without rows
 */
export function rowsOf({ files, name: dataset }: DatasetSource): Int32Array | undefined {
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
