import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DatasetFormat } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { openFile, readError, readRange } from '../../platform/read-file.ts'

/** Endings of tables; their first bytes say nothing. */
const TABLE_ENDINGS = /\.(?:csv|tsv|txt|data)$/i

/**
 * Tells what kind of dataset a path is: a folder of images, or a file by its first bytes (a table by the ending of its name).
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `DATASET_INVALID` for a file of another kind
 */
export async function datasetFormatOf(path: string): Promise<DatasetFormat> {
  const name = basename(path)
  const entry = await stat(path).catch((error: unknown) => {
    throw readError(error, name)
  })
  if (entry.isDirectory()) return 'images'
  const { head, sizeBytes } = await firstBytes(path, name)
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte)
  if (starts(0x50, 0x4b)) return 'npz'
  if (starts(0x93, 0x4e)) return 'npy'
  if (starts(0x1f, 0x8b)) return 'idx'
  if (starts(0, 0) && (head[2] ?? 0) >= 0x08 && (head[2] ?? 0) <= 0x0e) return 'idx'
  if (TABLE_ENDINGS.test(name)) return 'csv'
  const image = starts(0xff, 0xd8) || starts(0x89, 0x50) || starts(0x42, 0x4d) || starts(0x52, 0x49, 0x46, 0x46)
  const found = sizeBytes === 0 ? 'is empty (0 bytes)' : image ? 'is a single image' : 'is no .npz, .npy, IDX or .csv file'
  throw new EdgesmithError('DATASET_INVALID', `${name} ${found}.`, {
    hint: image
      ? 'Choose the folder that has one sub-folder of images for each class.'
      : 'Datasets are .npz or .npy arrays, IDX files as MNIST has them, tables that end in .csv, or folders of images.',
  })
}

async function firstBytes(path: string, name: string): Promise<{ head: Uint8Array; sizeBytes: number }> {
  const { file, sizeBytes } = await openFile(path, name)
  try {
    const head = new Uint8Array(Math.min(sizeBytes, 8))
    await readRange(file, 0, head)
    return { head, sizeBytes }
  } finally {
    await file.close()
  }
}

/**
 * The labels file that belongs to an IDX samples file by its name: `train-images-idx3-ubyte.gz` → `train-labels-idx1-ubyte.gz`, gzipped or
 * not; `undefined` when there is none.
 */
export async function labelsBeside(samplesPath: string): Promise<string | undefined> {
  const name = basename(samplesPath)
  const plain = name
    .replace(/images/i, (word) => (word === 'images' ? 'labels' : 'Labels'))
    .replace(/idx\d/i, 'idx1')
    .replace(/\.gz$/i, '')
  if (!/images/i.test(name)) return undefined
  for (const candidate of [`${plain}${/\.gz$/i.test(name) ? '.gz' : ''}`, plain, `${plain}.gz`]) {
    const path = join(dirname(samplesPath), candidate)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) return path
  }
  return undefined
}
