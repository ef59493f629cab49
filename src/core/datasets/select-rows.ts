import { CoreError } from '../core-error.ts'
import { type ArrayReader, countOf, elementWidth, readBytes, type SampleArray } from './numeric-array.ts'

/**
 * Some rows of an array as an array: row i of it is row `rows[i]` of the whole. Rows that follow each other are read together.
 *
 * @param rows row numbers, 0 to the array's first dimension − 1, any order, also more than once
 * @param where how messages call the rows
 * @throws CoreError `DATASET_INVALID` for a row that is not there
 */
export function selectRows(array: SampleArray, rows: Int32Array, where: string): ArrayReader {
  const { name, type, shape } = array
  const total = shape[0] ?? 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    if (row >= 0 && row < total) continue
    throw new CoreError('DATASET_INVALID', `${where} names row ${row} (entry ${index}), but array "${name}" has ${total} rows.`, {
      hint: 'The split belongs to another dataset. Divide the dataset again.',
      details: { row, entry: index, rows: total },
    })
  }
  const perRow = countOf(shape.slice(1))
  const rowBytes = perRow * elementWidth(type)
  return {
    name,
    type,
    shape: [rows.length, ...shape.slice(1)],
    readInto: (target, from) => {
      let at = 0
      let index = Math.floor(from / perRow)
      let skipped = from - index * perRow
      while (at < target.length) {
        let together = 1
        while (together * rowBytes < target.length - at && rows[index + together] === (rows[index] as number) + together) together++
        const bytes = Math.min(together * rowBytes - skipped * elementWidth(type), target.length - at)
        readBytes(array, target.subarray(at, at + bytes), (rows[index] as number) * perRow + skipped)
        at += bytes
        index += together
        skipped = 0
      }
    },
  }
}
