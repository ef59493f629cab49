import type { SampleHashes } from '../../../core/datasets/equal-samples.ts'
import { ArrayWriter } from './array-writer.ts'
import { freshPath } from './unpacked.ts'

/** The rows of a split as an int32 [N] .npy; answers its path. */
export function writeRows(rows: Int32Array, outFolder: string): string {
  const writer = new ArrayWriter(freshPath(outFolder), 'rows', 'int32', [])
  writer.write(rows)
  return writer.finish().path
}

/** Hashes of samples as a uint32 [N,4] .npy; answers its path. */
export function writeHashes(hashes: SampleHashes, outFolder: string): string {
  const writer = new ArrayWriter(freshPath(outFolder), 'hashes', 'uint32', [4])
  writer.write(hashes)
  return writer.finish().path
}

/** Hashes of some samples. */
export function ofRows(hashes: SampleHashes, rows: Int32Array): SampleHashes {
  const own = new Uint32Array(4 * rows.length)
  rows.forEach((row, index) => {
    own.set(hashes.subarray(4 * row, 4 * row + 4), 4 * index)
  })
  return own
}
