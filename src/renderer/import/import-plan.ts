/** A dataset to import: its file, and the labels file that was given with it. */
export interface DatasetPlan {
  readonly path: string
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

/** The last part of a path of any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path
}

/** Sorts files by their endings; an IDX labels file goes with the images file of the same beginning. */
export function planImport(paths: readonly string[]): ImportPlan {
  const models = paths.filter((path) => /\.onnx$/i.test(path))
  const archives = paths.filter((path) => /\.npz$/i.test(path))
  const idx = paths.filter((path) => idxName.test(path) || /\.(idx|gz)$/i.test(path))
  const labels = idx.filter((path) => idxLabels.test(fileName(path)))
  const images = idx.filter((path) => !labels.includes(path))
  const planned = images.map((path) => {
    const labelsPath = labels.find((candidate) => idxStem(candidate) === idxStem(path))
    return labelsPath === undefined ? { path } : { path, labelsPath }
  })
  const paired = new Set(planned.map(({ labelsPath }) => labelsPath))
  return {
    models,
    datasets: [...archives.map((path) => ({ path })), ...planned],
    unknown: paths.filter((path) => !models.includes(path) && !archives.includes(path) && !images.includes(path) && !paired.has(path)),
  }
}

/** `t10k` of `t10k-images-idx3-ubyte.gz` and of `t10k-labels-idx1-ubyte`. */
function idxStem(path: string): string {
  return fileName(path)
    .toLowerCase()
    .replace(/[-_.]?(images|labels)?[-.]?idx\d-ubyte.*$/, '')
}
