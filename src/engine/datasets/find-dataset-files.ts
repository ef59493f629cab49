import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { openFile, readRange } from '../models/read-file.ts'

/**
 * Tells what kind of dataset a file is by its first bytes, and finds the labels file of an IDX dataset beside it.
 * @param labelsPath the labels file, where the user named it
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `DATASET_INVALID` for a file of another kind, `USAGE` for labels beside an .npz
 */
export async function findDatasetFiles(path: string, labelsPath?: string): Promise<Pick<DatasetSource, 'format' | 'files'>> {
  const format = await formatOf(path)
  if (format === 'npz') {
    if (labelsPath !== undefined) {
      throw new EdgesmithError('USAGE', `${basename(path)} is an .npz file, which holds its labels itself.`, {
        hint: 'Leave the labels file out, or put the labels into the archive as an array named labels.',
      })
    }
    return { format, files: [{ role: 'samples', path }] }
  }
  const labels = labelsPath ?? (await labelsBeside(path))
  return { format, files: [{ role: 'samples', path }, ...(labels === undefined ? [] : [{ role: 'labels' as const, path: labels }])] }
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

async function formatOf(path: string): Promise<DatasetSource['format']> {
  const name = basename(path)
  const { file, sizeBytes } = await openFile(path, name)
  const head = new Uint8Array(Math.min(sizeBytes, 8))
  try {
    await readRange(file, 0, head)
  } finally {
    await file.close()
  }
  if (head[0] === 0x50 && head[1] === 0x4b) return 'npz'
  if (head[0] === 0x1f && head[1] === 0x8b) return 'idx'
  if (head[0] === 0 && head[1] === 0 && (head[2] ?? 0) >= 0x08 && (head[2] ?? 0) <= 0x0e) return 'idx'
  const empty = sizeBytes === 0
  const npy = head[0] === 0x93 && head[1] === 0x4e
  const found = empty ? 'is empty (0 bytes)' : npy ? 'is a single NumPy array (.npy)' : 'is neither an .npz archive nor an IDX file'
  throw new EdgesmithError('DATASET_INVALID', `${name} ${found}.`, {
    hint: npy
      ? 'Save it together with its labels: numpy.savez("data.npz", x=x, labels=labels).'
      : 'Use an .npz with arrays named like the model’s inputs and labels, or IDX files as MNIST has them.',
  })
}
