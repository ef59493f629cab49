import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { CsvOptions, DatasetColumn, DatasetFormat, Preprocessing } from '../../../contract/dataset.ts'
import type { JobReporter } from '../../../contract/job.ts'
import type { StoredArray } from './array-writer.ts'

/** What to import and how. */
export interface ImportOrder {
  readonly path: string
  readonly labelsPath?: string | undefined
  /** Undefined: the default of the format. */
  readonly preprocessing?: Preprocessing | undefined
  readonly csv?: CsvOptions | undefined
  /** Class folder, or text of the label column, to label index. */
  readonly classes?: Readonly<Record<string, number>> | undefined
  /** An empty folder that the files are written to. */
  readonly outFolder: string
}

/** A dataset of any format as plain arrays in files. */
export interface UnpackedDataset {
  readonly format: DatasetFormat
  readonly arrays: readonly StoredArray[]
  /** Zip of the image files. */
  readonly originals: string | undefined
  readonly preprocessing: Preprocessing
  readonly columns: readonly DatasetColumn[] | null
  readonly classNames: readonly string[] | null
  /** Parts the source consists of, their rows ascending. */
  readonly splits: readonly { readonly name: string; readonly rows: Int32Array }[]
  readonly notes: readonly string[]
}

/** Limits on what is imported. Everything is streamed, so they bound disk and time, not memory. */
export const IMPORT_LIMITS = {
  /** All arrays of a dataset, unpacked. */
  totalBytes: 2 ** 38,
  /** Rows are numbered by int32, and a hash of 16 bytes is kept of each in memory. */
  samples: 50_000_000,
} as const

/** A fresh path in the output folder. */
export function freshPath(outFolder: string): string {
  return join(outFolder, randomUUID())
}

/** Reports progress every so many steps, so that reporting costs nothing. */
export function progressEvery(
  reporter: JobReporter,
  phase: string,
  total: number | null,
  unit: string,
  step: number,
): (done: number) => void {
  let next = 0
  return (done) => {
    if (done < next && done !== total) return
    next = done + step
    reporter.progress({ phase, done, total, unit })
  }
}
