import { rm } from 'node:fs/promises'
import { DATASET_LIMITS } from '../../../core/datasets/limits.ts'
import { NPY_PREFIX, npyHeaderEnd, parseNpyHeader } from '../../../core/datasets/npy.ts'
import { countOf } from '../../../core/datasets/numeric-array.ts'
import { openArrayFile } from '../array-file.ts'
import { ArrayWriter, type StoredArray } from './array-writer.ts'
import { openFileBytes } from './file-bytes.ts'
import { freshPath } from './unpacked.ts'

/** Bytes that are copied at once. */
const PIECE_BYTES = 1 << 22

/**
 * An .npy file as an array that is read batch by batch: as it is when it is row-major and little-endian, else written again that way.
 * @param path a file of ours: it is removed when another takes its place
 * @param name how the array is called
 * @param what how messages call it
 * @throws EdgesmithError or CoreError `DATASET_INVALID`, `DATASET_TYPE`, `TOO_LARGE`, `NO_SPACE`
 */
export async function plainArray(path: string, name: string, what: string, outFolder: string): Promise<StoredArray> {
  const array = openArrayFile(path, what)
  try {
    const { type, shape } = array
    if (isPlain(path, what)) return { name, type, shape, path }
    const written = rewrite(array, name, freshPath(outFolder))
    await rm(path)
    return written
  } finally {
    array.close()
  }
}

/** True for a file whose elements are row-major and little-endian. */
export function isPlain(path: string, what: string): boolean {
  const bytes = openFileBytes(path, what)
  try {
    const end = npyHeaderEnd(bytes.read(0, Math.min(bytes.length, NPY_PREFIX)), what)
    const { bigEndian, fortranOrder, shape } = parseNpyHeader(
      bytes.read(0, Math.min(bytes.length, end)),
      what,
      DATASET_LIMITS.arrayFileBytes,
    )
    return !bigEndian && !(fortranOrder && shape.length > 1)
  } finally {
    bytes.close()
  }
}

/** A copy in row-major, little-endian order. */
export function rewrite(array: ReturnType<typeof openArrayFile>, name: string, path: string): StoredArray {
  const { type, shape } = array
  const elements = countOf(shape)
  const writer = new ArrayWriter(path, name, type, shape.slice(1))
  try {
    const step = Math.floor(PIECE_BYTES / 8)
    for (let from = 0; from < elements; from += step) writer.write(array.read(from, Math.min(step, elements - from)))
    return writer.finish()
  } finally {
    writer.discard()
  }
}
