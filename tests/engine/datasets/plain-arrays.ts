import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatasetColumn, DatasetSource, Preprocessing } from '../../../src/contract/dataset.ts'
import type { NumericArray } from '../../../src/core/datasets/numeric-array.ts'
import { writeNpy } from '../../../src/core/datasets/write-npz.ts'

/** A dataset of plain arrays in a folder. */
export function plainArrays(
  folder: string,
  arrays: readonly NumericArray[],
  {
    preprocessing = {},
    columns,
    rows,
  }: { readonly preprocessing?: Preprocessing; readonly columns?: DatasetColumn[]; readonly rows?: NumericArray } = {},
): DatasetSource {
  const write = (file: string, array: NumericArray) => {
    const path = join(folder, file)
    writeFileSync(path, writeNpy(array))
    return path
  }
  return {
    format: 'arrays',
    name: 'data',
    files: [
      ...arrays.map((array, index) => ({ role: 'array' as const, name: array.name, path: write(`${index}.npy`, array) })),
      ...(rows ? [{ role: 'rows' as const, path: write('rows.npy', rows) }] : []),
    ],
    preprocessing,
    ...(columns ? { columns } : {}),
  }
}
