import type { DatasetSource } from '../../contract/dataset.ts'
import type { EngineRequest, EngineResult } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import { answersArray } from '../../core/datasets/match-inputs.ts'
import { splitRows } from '../../core/datasets/split-rows.ts'
import { seededRandom } from '../../core/statistics/seeded-random.ts'
import { readDatasetArrays } from './dataset-arrays.ts'
import { answersOf, describeDataset } from './describe-dataset.ts'
import { ofRows, writeRows } from './import/row-files.ts'
import { rowsOf } from './rows-of.ts'
import { sampleCountOf } from './sample-count.ts'
import { sampleHashes } from './sample-hashes.ts'

type SplitRequest = Extract<EngineRequest, { command: 'split-dataset' }>

/**
 * Divides a dataset (or a split of one) into parts: a file of rows of the whole dataset for each, and what the part holds.
 * The same seed gives the same parts.
 *
 * @throws EdgesmithError or CoreError `USAGE` for shares that cannot be, and those of reading the dataset
 */
export async function splitDataset(request: SplitRequest, reporter: JobReporter): Promise<EngineResult<'split-dataset'>> {
  const { source, parts, seed, stratify, outFolder } = request
  const { samples, labels } = await readLabelsOf(source)
  const chosen = splitRows(samples, parts, stratify ? labels : undefined, seededRandom(seed))
  const hashes = await sampleHashes(source, reporter)
  const rows = rowsOf(source)
  const files = source.files.filter(({ role }) => role !== 'rows')
  const made: EngineResult<'split-dataset'> = []
  for (const [index, own] of chosen.entries()) {
    // Rows of a split of a split are rows of the whole.
    const rowsPath = writeRows(rows ? own.map((row) => rows[row] as number) : own, outFolder)
    const { report } = await describeDataset(
      { ...source, files: [...files, { role: 'rows', path: rowsPath }] },
      reporter,
      ofRows(hashes, own),
    )
    made.push({ split: parts[index]?.name ?? '', rowsPath, report })
  }
  return made
}

async function readLabelsOf(source: DatasetSource): Promise<{ samples: number; labels: Int32Array | undefined }> {
  const content = await readDatasetArrays(source)
  try {
    const answers = answersArray(content.arrays, [])
    const samples = sampleCountOf(content, answers, source.name)
    return { samples, labels: answersOf(content, answers, samples, source).labels }
  } finally {
    content.close()
  }
}
