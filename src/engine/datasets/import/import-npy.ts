import { copyFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { JobReporter } from '../../../contract/job.ts'
import { LABEL_NAMES } from '../../../core/datasets/labels.ts'
import { openArrayFile } from '../array-file.ts'
import type { StoredArray } from './array-writer.ts'
import { requireRoom } from './disk-room.ts'
import { isPlain, rewrite } from './plain-array.ts'
import { freshPath, type ImportOrder, type UnpackedDataset } from './unpacked.ts'

/**
 * A single .npy of samples, and one of labels or targets where the user named it.
 * @throws EdgesmithError or CoreError `DATASET_INVALID`, `DATASET_TYPE`, `TOO_LARGE`, `NO_SPACE`, those of reading a file
 */
export async function importNpy(order: ImportOrder, reporter: JobReporter): Promise<UnpackedDataset> {
  const stem = basename(order.path).replace(/\.npy$/i, '')
  // A word that means labels would make the samples labels.
  const name = /^[A-Za-z_][\w.-]{0,99}$/.test(stem) && !LABEL_NAMES.includes(stem) ? stem : 'x'
  const arrays = [await takeArray(order.path, name, order, reporter)]
  if (order.labelsPath !== undefined) {
    const labels = await takeArray(order.labelsPath, 'labels', order, reporter)
    arrays.push(labels.type.startsWith('float') ? { ...labels, name: 'targets' } : labels)
  }
  return {
    format: 'npy',
    arrays,
    originals: undefined,
    preprocessing: order.preprocessing ?? {},
    columns: null,
    classNames: null,
    splits: [],
    notes: [],
  }
}

async function takeArray(path: string, name: string, { outFolder }: ImportOrder, reporter: JobReporter): Promise<StoredArray> {
  const file = basename(path)
  const array = openArrayFile(path, file)
  try {
    await requireRoom(outFolder, array.sizeBytes, file)
    reporter.progress({ phase: `copying ${file}`, done: 0, total: array.sizeBytes, unit: 'bytes' })
    const copy = freshPath(outFolder)
    if (!isPlain(path, file)) return rewrite(array, name, copy)
    await copyFile(path, copy)
    return { name, type: array.type, shape: array.shape, path: copy }
  } finally {
    array.close()
  }
}
