import { rm } from 'node:fs/promises'
import { countOf } from '../../../core/datasets/numeric-array.ts'
import { openArrayFile } from '../array-file.ts'
import { ArrayWriter, type StoredArray } from './array-writer.ts'
import { freshPath, type UnpackedDataset } from './unpacked.ts'

/** Words for parts of a dataset, and what the part is called then. */
const SPLIT_WORDS: ReadonlyMap<string, string> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['dev', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
])

/** `train`, `val` or `test` for a word that means it; undefined for others. */
export function splitNameOf(word: string): string | undefined {
  return SPLIT_WORDS.get(word.toLowerCase())
}

const PIECE_ELEMENTS = 1 << 19

/**
 * Arrays named `x_train`, `y_train`, `x_test`, `y_test` as arrays `x` and `y` with the parts one after another; `undefined` where the names are
 * not of that form, or the parts do not have the same arrays of the same kind. The files of the parts are removed.
 */
export async function joinSplits(
  arrays: readonly StoredArray[],
  outFolder: string,
): Promise<Pick<UnpackedDataset, 'arrays' | 'splits' | 'notes'> | undefined> {
  const parts = partsOf(arrays)
  if (!parts) return undefined
  const [[, first] = []] = parts
  const joined: StoredArray[] = []
  for (const [name, array] of first ?? []) {
    const writer = new ArrayWriter(freshPath(outFolder), name, array.type, array.shape.slice(1))
    try {
      for (const [, own] of parts) append(writer, own.get(name) as StoredArray)
      joined.push(writer.finish())
    } finally {
      writer.discard()
    }
  }
  for (const { path } of arrays) await rm(path)
  let from = 0
  const splits = parts.map(([name, own]) => {
    const count = [...own.values()][0]?.shape[0] ?? 0
    const rows = Int32Array.from({ length: count }, (_, index) => from + index)
    from += count
    return { name, rows }
  })
  return {
    arrays: joined,
    splits,
    notes: [`The arrays ${arrays.map(({ name }) => name).join(', ')} are joined; the parts are kept as splits.`],
  }
}

/** Each split with its arrays by common name, in the order of the file; undefined where they do not go together. */
function partsOf(arrays: readonly StoredArray[]): (readonly [string, ReadonlyMap<string, StoredArray>])[] | undefined {
  const parts = new Map<string, Map<string, StoredArray>>()
  for (const array of arrays) {
    const [, name = '', word = ''] = /^(.+)_([a-z]+)$/i.exec(array.name) ?? []
    const split = splitNameOf(word)
    if (split === undefined || array.shape.length === 0) return undefined
    const own = parts.get(split) ?? new Map<string, StoredArray>()
    if (own.has(name)) return undefined
    parts.set(split, own.set(name, array))
  }
  const all = [...parts]
  const [first] = all
  if (!first || all.length < 2) return undefined
  const fits = all.every(
    ([, own]) => own.size === first[1].size && sameCount(own) && [...own].every(([name, array]) => isAlike(array, first[1].get(name))),
  )
  return fits ? all : undefined
}

function sameCount(own: ReadonlyMap<string, StoredArray>): boolean {
  return new Set([...own.values()].map(({ shape }) => shape[0])).size === 1
}

function isAlike(array: StoredArray, other: StoredArray | undefined): boolean {
  return other !== undefined && other.type === array.type && other.shape.slice(1).join() === array.shape.slice(1).join()
}

function append(writer: ArrayWriter, array: StoredArray): void {
  const file = openArrayFile(array.path, array.name)
  try {
    const count = countOf(array.shape)
    for (let from = 0; from < count; from += PIECE_ELEMENTS) writer.write(file.read(from, Math.min(PIECE_ELEMENTS, count - from)))
  } finally {
    file.close()
  }
}
