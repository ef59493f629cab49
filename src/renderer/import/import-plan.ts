import type { DatasetFormat } from '../../contract/dataset.ts'

/** A dataset to import: its file or folder, what it is, and the labels file that was given with it. */
export interface DatasetPlan {
  readonly path: string
  readonly format: DatasetFormat
  readonly labelsPath?: string
}

/** What to do with files that were chosen or dropped. */
export interface ImportPlan {
  readonly models: readonly string[]
  readonly datasets: readonly DatasetPlan[]
  /** Paths of files that are neither. */
  readonly unknown: readonly string[]
}

/** IDX files as they are published: `train-images-idx3-ubyte.gz`; the digit counts dimensions. */
const idxName = /idx\d-ubyte(?:\.gz)?$/i
const idxLabels = /labels[-.]?idx1-ubyte/i
/** `labels.npy`, `test-labels.npy`, `y.npy`, `y_test.npy`, `targets.npy`. */
const npyLabels = /(?:^|[-_.])(?:labels?|targets?|y)(?=[-_.])/i

/** The last part of a path of any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).pop() ?? path
}

/** What a dataset file is, by its ending; undefined for endings that no dataset has. */
export function datasetFormat(path: string): DatasetFormat | undefined {
  if (/\.npz$/i.test(path)) return 'npz'
  if (/\.npy$/i.test(path)) return 'npy'
  if (/\.(csv|tsv)$/i.test(path)) return 'csv'
  return idxName.test(path) || /\.(idx|gz)$/i.test(path) ? 'idx' : undefined
}

/**
 * Sorts files by their endings; a labels file goes with the samples file of the same beginning (IDX), or with the only other .npy.
 *
 * @param folders those of the paths that are folders: each is a dataset of images
 */
export function planImport(paths: readonly string[], folders: ReadonlySet<string> = new Set()): ImportPlan {
  const files = paths.filter((path) => !folders.has(path))
  const models = files.filter((path) => /\.onnx$/i.test(path))
  const whole = files.flatMap((path): DatasetPlan[] => {
    const format = datasetFormat(path)
    return format === 'npz' || format === 'csv' ? [{ path, format }] : []
  })
  const images = paths.filter((path) => folders.has(path)).map((path): DatasetPlan => ({ path, format: 'images' }))
  const datasets = [...whole, ...planIdx(files), ...planNpy(files), ...images]
  const planned = new Set([...models, ...datasets.flatMap(({ path, labelsPath }) => [path, labelsPath])])
  return { models, datasets, unknown: paths.filter((path) => !planned.has(path)) }
}

function planIdx(files: readonly string[]): DatasetPlan[] {
  const idx = files.filter((path) => datasetFormat(path) === 'idx')
  const labels = idx.filter((path) => idxLabels.test(fileName(path)))
  return idx
    .filter((path) => !labels.includes(path))
    .map((path) =>
      withLabels(
        path,
        'idx',
        labels.find((candidate) => idxStem(candidate) === idxStem(path)),
      ),
    )
}

function planNpy(files: readonly string[]): DatasetPlan[] {
  const npy = files.filter((path) => datasetFormat(path) === 'npy')
  const labels = npy.filter((path) => npyLabels.test(fileName(path)))
  const samples = npy.filter((path) => !labels.includes(path))
  // Only one of each: with more it is a guess which belong together.
  const [only] = labels
  if (samples.length === 1 && labels.length === 1) return samples.map((path) => withLabels(path, 'npy', only))
  // Labels alone may still be what the user wants to look at.
  return (samples.length > 0 ? samples : npy).map((path) => ({ path, format: 'npy' }))
}

function withLabels(path: string, format: DatasetFormat, labelsPath: string | undefined): DatasetPlan {
  return labelsPath === undefined ? { path, format } : { path, format, labelsPath }
}

/** `t10k` of `t10k-images-idx3-ubyte.gz` and of `t10k-labels-idx1-ubyte`. */
function idxStem(path: string): string {
  return fileName(path)
    .toLowerCase()
    .replace(/[-_.]?(images|labels)?[-.]?idx\d-ubyte.*$/, '')
}
