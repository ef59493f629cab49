import type { Evaluation } from '../../../contract/evaluation.ts'
import type { ReportDocument } from '../../../contract/report.ts'

/** Where a document contradicts itself or goes beyond what is drawn. */
export interface ReportProblem {
  readonly place: string
  readonly reason: string
}

/** More of each than a report that is written here can hold. */
const LIMITS = {
  comparisons: 50,
  benchmarks: 2000,
  evaluations: 2000,
  analyses: 50,
  matrices: 50,
  validations: 50,
  samples: 2000,
  models: 5000,
  datasets: 2000,
  devices: 1000,
}
const MAX_ROWS = 64
/** Models and devices of a matrix; as many as can be measured in one. */
const MAX_MATRIX = 16
const MAX_TITLE = 500
/** Bins, points and pieces of a chart. */
const MAX_POINTS = 1000
const MAX_CLASSES = 200
const MAX_LISTED_CLASSES = 1_000_000
/** Layers and kernels: ONNX graphs that are drawn have at most 20,000 nodes. */
const MAX_NODES = 20_000

/**
 * What a schema cannot say: counts within limits, arrays that fit each other, and a baseline in every comparison. Charts and tables
 * rely on it.
 */
export function checkReport(document: ReportDocument): ReportProblem | undefined {
  for (const [name, limit] of Object.entries(LIMITS)) {
    const { length } = document[name as keyof typeof LIMITS]
    if (length > limit) return { place: name, reason: `${length} entries, at most ${limit} are read` }
  }
  if (document.title.length > MAX_TITLE)
    return { place: 'title', reason: `${document.title.length} characters, at most ${MAX_TITLE} are read` }
  return (
    first(document.comparisons, 'comparisons', ({ rows, baselineId }) => {
      if (rows.length > MAX_ROWS) return `${rows.length} rows, at most ${MAX_ROWS} are read`
      if (!rows.some(({ modelId }) => modelId === baselineId)) return 'no row is that of its baseline'
      if (rows.some(({ histogram }) => histogram.edgesMs.length !== rows[0]?.histogram.edgesMs.length))
        return 'rows have histograms of different lengths'
      return rows
        .map(({ histogram, blockMediansMs }) => histogramProblem(histogram) ?? tooMany(blockMediansMs, 'block medians'))
        .find(Boolean)
    }) ??
    first(document.matrices, 'matrices', ({ models, devices, cells }) => {
      if (models.length > MAX_MATRIX || devices.length > MAX_MATRIX)
        return `${models.length} models on ${devices.length} devices, at most ${MAX_MATRIX} of each are read`
      return cells.length > MAX_MATRIX * MAX_MATRIX ? `${cells.length} cells` : undefined
    }) ??
    first(document.evaluations, 'evaluations', evaluationProblem) ??
    first(document.samples, 'samples', ({ histogram, quantilesMs, offsetsMs, mediansMs }) => {
      if (offsetsMs.length !== mediansMs.length) return `${offsetsMs.length} offsets for ${mediansMs.length} medians`
      return histogramProblem(histogram) ?? tooMany(quantilesMs, 'quantiles') ?? tooMany(mediansMs, 'medians')
    }) ??
    first(document.analyses, 'analyses', ({ result }) => {
      const lists = Object.values(result).filter(Array.isArray)
      return lists.some(({ length }) => length > MAX_NODES) ? `a list of more than ${MAX_NODES} entries` : undefined
    })
  )
}

function evaluationProblem({ classification, regression }: Evaluation): string | undefined {
  if (classification) {
    const { classes, confusion, perClass, calibration } = classification
    if (perClass.length > MAX_LISTED_CLASSES) return `${perClass.length} classes`
    if (confusion && classes > MAX_CLASSES) return `a confusion matrix of ${classes} classes, at most ${MAX_CLASSES} are drawn`
    if (confusion && confusion.length !== classes * classes)
      return `a confusion matrix of ${confusion.length} counts for ${classes} classes`
    if (calibration && calibration.bins.length > MAX_POINTS) return `${calibration.bins.length} bins of confidence`
  }
  if (regression) {
    const { predictedEdges, residualEdges, counts } = regression.residuals
    const [columns, rows] = [predictedEdges.length - 1, residualEdges.length - 1]
    if (columns > MAX_CLASSES || rows > MAX_CLASSES) return `residuals in ${columns} × ${rows} bins`
    if (counts.length !== Math.max(0, columns) * Math.max(0, rows)) return `${counts.length} residual counts for ${columns} × ${rows} bins`
  }
  return undefined
}

function histogramProblem({
  edgesMs,
  counts,
}: {
  readonly edgesMs: readonly number[]
  readonly counts: readonly number[]
}): string | undefined {
  if (counts.length > MAX_POINTS) return `a histogram of ${counts.length} bins`
  return edgesMs.length === counts.length + 1 ? undefined : `a histogram of ${counts.length} bins with ${edgesMs.length} edges`
}

function tooMany(values: readonly number[], noun: string): string | undefined {
  return values.length > MAX_POINTS ? `${values.length} ${noun}` : undefined
}

function first<T>(entries: readonly T[], name: string, problemOf: (entry: T) => string | undefined): ReportProblem | undefined {
  for (const [index, entry] of entries.entries()) {
    const reason = problemOf(entry)
    if (reason) return { place: `${name}.${index}`, reason }
  }
  return undefined
}
