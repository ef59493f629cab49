import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { parseIdx } from '../../core/datasets/idx.ts'
import { LABEL_NAMES } from '../../core/datasets/labels.ts'
import { DATASET_LIMITS } from '../../core/datasets/limits.ts'
import { type ArrayDescription, answersArray } from '../../core/datasets/match-inputs.ts'
import { describeDescr } from '../../core/datasets/npy.ts'
import { parseNpz } from '../../core/datasets/npz.ts'
import type { NumericArray, SampleArray } from '../../core/datasets/numeric-array.ts'
import { selectRows } from '../../core/datasets/select-rows.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { readWholeFile } from '../../platform/read-file.ts'
import { labelsBeside } from './find-dataset-files.ts'
import { openArrays } from './open-arrays.ts'
import { rowsOf } from './rows-of.ts'
import { sampleCountOf } from './sample-count.ts'

/** The arrays of a dataset, listed; values are read when asked for. */
export interface DatasetArrays {
  readonly arrays: readonly ArrayDescription[]
  /** Bytes of all its files. */
  readonly sizeBytes: number
  /** Of a split: how many rows of the whole dataset it consists of. */
  readonly rowCount?: number
  /** An array by its name; asked again, the same object. @throws CoreError or EdgesmithError `DATASET_INVALID`, `DATASET_TYPE` */
  read(name: string): SampleArray
  /** Frees open files. */
  close(): void
}

/** Names that the arrays of an IDX dataset go by. */
const IDX_SAMPLES = 'images'
const IDX_LABELS = LABEL_NAMES[0] ?? 'labels'

/**
 * Opens the files of a dataset: .npz and IDX files are read whole, plain arrays stay on the disk. Labels of an IDX dataset that names none are
 * looked for beside the samples. Of a split, arrays with an entry for each sample have those of its rows only (four bytes a row in memory).
 * @throws EdgesmithError or CoreError: `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `TOO_LARGE`, `DATASET_INVALID`, `DATASET_EMPTY`
 */
export async function readDatasetArrays(source: DatasetSource): Promise<DatasetArrays> {
  const content = await readWhole(source)
  try {
    const rows = rowsOf(source)
    return rows ? splitOf(content, rows, source.name) : content
  } catch (error) {
    content.close()
    throw error
  }
}

/** The arrays of a split. Others, with an entry for each class for example, stay whole. */
function splitOf(content: DatasetArrays, rows: Int32Array, dataset: string): DatasetArrays {
  const samples = sampleCountOf(content, answersArray(content.arrays, []), dataset)
  const selected = new Map<string, SampleArray>()
  return {
    sizeBytes: content.sizeBytes,
    rowCount: rows.length,
    arrays: content.arrays.map((array) =>
      array.shape[0] === samples ? { ...array, shape: [rows.length, ...array.shape.slice(1)] } : array,
    ),
    read: (name) => {
      const known = selected.get(name)
      if (known) return known
      const whole = content.read(name)
      const array = whole.shape[0] === samples ? selectRows(whole, rows, `The split ${quoteName(dataset)}`) : whole
      selected.set(name, array)
      return array
    },
    close: () => content.close(),
  }
}

async function readWhole(source: DatasetSource): Promise<DatasetArrays> {
  switch (source.format) {
    case 'npz':
      return readNpz(source)
    case 'idx':
      return readIdx(source)
    case 'arrays':
      return openArrays(source)
  }
}

async function readNpz(source: DatasetSource): Promise<DatasetArrays> {
  const bytes = await readWholeFile(pathOf(source, 'samples'), source.name, DATASET_LIMITS.fileBytes)
  const arrays = parseNpz(bytes, source.name)
  return {
    arrays: arrays.map(({ name, header }) => ({
      name,
      type: header.type ?? describeDescr(header.descr),
      numeric: header.type !== undefined,
      shape: header.shape,
    })),
    sizeBytes: bytes.length,
    read: (wanted) => {
      const found = arrays.find(({ name }) => name === wanted)
      if (!found) throw new Error(`no array ${wanted}`)
      return found.read()
    },
    close: () => {},
  }
}

async function readIdx(source: DatasetSource): Promise<DatasetArrays> {
  const samplesPath = pathOf(source, 'samples')
  const labelsPath = source.files.find(({ role }) => role === 'labels')?.path ?? (await labelsBeside(samplesPath))
  const arrays = [await readIdxFile(samplesPath, IDX_SAMPLES, source.name)]
  if (labelsPath !== undefined) arrays.push(await readIdxFile(labelsPath, IDX_LABELS, `the labels file of ${source.name}`))
  return {
    arrays: arrays.map(({ array: { name, type, shape } }) => ({ name, type, numeric: true, shape })),
    sizeBytes: arrays.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    read: (wanted) => {
      const found = arrays.find(({ array }) => array.name === wanted)
      if (!found) throw new Error(`no array ${wanted}`)
      return found.array
    },
    close: () => {},
  }
}

async function readIdxFile(path: string, name: string, file: string): Promise<{ array: NumericArray; sizeBytes: number }> {
  const bytes = await readWholeFile(path, file, DATASET_LIMITS.fileBytes)
  return { array: parseIdx(bytes, name, file), sizeBytes: bytes.length }
}

function pathOf(source: DatasetSource, role: 'samples' | 'labels'): string {
  const path = source.files.find((file) => file.role === role)?.path
  if (path === undefined) throw new EdgesmithError('DATASET_INVALID', `${quoteName(source.name)} names no ${role} file.`)
  return path
}
