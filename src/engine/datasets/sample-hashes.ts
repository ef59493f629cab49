import type { DatasetReport, DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { SampleHashes } from '../../core/datasets/equal-samples.ts'
import { openArrayFile } from './array-file.ts'
import { describeDataset } from './describe-dataset.ts'
import { rowsOf } from './rows-of.ts'

const WORDS = 4

/**
 * Hashes of the samples of a dataset: from its file, for a split those of its rows; made now for datasets of older versions, which have none.
 * @throws EdgesmithError or CoreError `DATASET_INVALID` and those of reading a file
 */
export async function sampleHashes(source: DatasetSource, reporter: JobReporter): Promise<SampleHashes> {
  return storedHashes(source) ?? (await describeDataset(source, reporter)).hashes
}

/** What a dataset holds, with the hashes it was stored with. @throws EdgesmithError or CoreError as {@link describeDataset} */
export async function describeStored(source: DatasetSource, reporter: JobReporter): Promise<DatasetReport> {
  return (await describeDataset(source, reporter, storedHashes(source))).report
}

/** Hashes from the dataset's file; undefined where it has none. @throws EdgesmithError or CoreError `DATASET_INVALID` */
function storedHashes(source: DatasetSource): SampleHashes | undefined {
  const path = source.files.find(({ role }) => role === 'hashes')?.path
  if (path === undefined) return undefined
  const file = openArrayFile(path, `The hashes of ${source.name}`)
  try {
    const count = file.shape[0] ?? 0
    if (file.type !== 'uint32' || file.shape[1] !== WORDS) throw damaged(source)
    const all = file.read(0, count * WORDS) as Uint32Array
    const rows = rowsOf(source)
    if (!rows) return all
    const own = new Uint32Array(rows.length * WORDS)
    rows.forEach((row, index) => {
      if (row < 0 || row >= count) throw damaged(source)
      own.set(all.subarray(row * WORDS, (row + 1) * WORDS), index * WORDS)
    })
    return own
  } finally {
    file.close()
  }
}

function damaged({ name }: DatasetSource): EdgesmithError {
  return new EdgesmithError('DATASET_INVALID', `The hashes of ${name} do not belong to it.`, { hint: 'Import the dataset again.' })
}
