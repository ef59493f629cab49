import type { Analysis } from '../../../contract/analysis.ts'
import type { Dataset } from '../../../contract/dataset.ts'
import type { Validation } from '../../../contract/deployment.ts'
import type { Device } from '../../../contract/device.ts'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { Evaluation } from '../../../contract/evaluation.ts'
import type { Matrix } from '../../../contract/matrix.ts'
import type { Benchmark, Comparison } from '../../../contract/measurement.ts'
import type { Model } from '../../../contract/model.ts'
import { type ReportDocument, type ReportedDataset, type ReportedModel, reportDocumentSchema } from '../../../contract/report.ts'
import { reportTitle } from './report-title.ts'
import { summarizeSamples } from './sample-summary.ts'
import { statedLineage } from './stated-lineage.ts'

/** Where a report's content comes from. */
export interface ReportSources {
  /** These six throw `NOT_FOUND` for an id that is not stored. */
  readonly comparison: (id: string) => Comparison
  readonly benchmark: (id: string) => Benchmark
  readonly evaluation: (id: string) => Evaluation
  readonly analysis: (id: string) => Analysis
  readonly matrix: (id: string) => Matrix
  readonly validation: (id: string) => Validation
  readonly models: () => readonly Model[]
  readonly datasets: () => readonly Dataset[]
  readonly devices: () => readonly Device[]
  readonly latencies: (benchmarkId: string) => Float32Array
  /** When each sample began, milliseconds since the first; null where that was not kept. */
  readonly offsets: (benchmarkId: string) => Float64Array | null
}

/** Ids of what a report is about. */
export interface ReportChoice {
  readonly comparisonIds: readonly string[]
  readonly benchmarkIds: readonly string[]
  readonly evaluationIds: readonly string[]
  readonly analysisIds: readonly string[]
  readonly matrixIds: readonly string[]
  readonly validationIds: readonly string[]
  readonly title?: string | undefined
}

/**
 * A report as data: what was chosen, the benchmarks and evaluations that a chosen comparison or matrix consists of, and everything those refer to.
 *
 * @param stamp version of the program, and when the report is made (ISO 8601)
 * @throws EdgesmithError `USAGE` when nothing was chosen, `NOT_FOUND` for an id that is not stored
 */
export function collectReport(
  sources: ReportSources,
  choice: ReportChoice,
  stamp: Pick<ReportDocument, 'createdAt' | 'edgesmithVersion'>,
): ReportDocument {
  const comparisons = unique(choice.comparisonIds).map(sources.comparison)
  const rows = comparisons.flatMap((comparison) => comparison.rows)
  const matrices = unique(choice.matrixIds).map(sources.matrix)
  const cells = matrices.flatMap((matrix) => matrix.cells)
  const benchmarks = withBelonging(choice.benchmarkIds, sources.benchmark, [
    ...rows.map(({ benchmarkId }) => benchmarkId),
    ...cells.flatMap(({ benchmarkId }) => benchmarkId ?? []),
  ])
  const evaluations = withBelonging(
    choice.evaluationIds,
    sources.evaluation,
    [...rows, ...cells].flatMap(({ evaluationId }) => evaluationId ?? []),
  )
  const analyses = unique(choice.analysisIds).map(sources.analysis)
  const validations = unique(choice.validationIds).map(sources.validation)
  if (comparisons.length + benchmarks.length + evaluations.length + analyses.length + matrices.length + validations.length === 0)
    throw new EdgesmithError('USAGE', 'A report needs at least one comparison, benchmark, evaluation, analysis, matrix or validation', {
      hint: 'edgesmith runs lists what there is.',
    })
  const modelIds = new Set([
    ...rows.map(({ modelId }) => modelId),
    ...benchmarks.map(({ modelId }) => modelId),
    ...evaluations.flatMap(({ modelId, parity }) => [modelId, parity?.baselineModelId]),
    ...analyses.flatMap(({ modelId, baselineId }) => [modelId, baselineId]),
    ...cells.map(({ modelId }) => modelId),
    ...validations.map(({ modelId }) => modelId),
  ])
  const datasetIds = new Set([
    ...comparisons.map(({ datasetId }) => datasetId),
    ...evaluations.map(({ datasetId }) => datasetId),
    ...analyses.map(({ datasetId }) => datasetId),
    ...matrices.map(({ dataset }) => dataset?.id ?? null),
  ])
  const deviceIds = new Set(
    [...comparisons, ...benchmarks, ...evaluations, ...analyses, ...cells, ...validations].map(({ deviceId }) => deviceId),
  )
  // Through the schema, so that reading it back gives the same text, down to the order of its fields.
  return reportDocumentSchema.parse({
    format: 'edgesmith-report',
    version: 1,
    title: choice.title ?? reportTitle({ comparisons, benchmarks, evaluations, analyses, matrices, validations }),
    ...stamp,
    devices: sources
      .devices()
      .filter(({ id }) => deviceIds.has(id))
      .map(({ id, name }) => ({ id, name })),
    models: withAncestors(sources.models(), modelIds).map(reportedModel),
    datasets: sources
      .datasets()
      .filter(({ id }) => datasetIds.has(id))
      .map(reportedDataset),
    comparisons,
    benchmarks,
    evaluations,
    analyses: analyses.map(withoutGraphs),
    matrices,
    validations,
    samples: benchmarks.map(({ id }) => summarizeSamples(id, sources.latencies(id), sources.offsets(id))),
  } satisfies ReportDocument)
}

/** The wanted entries in the order they were named, then those that belong to a comparison or matrix: their model may have been removed with them. */
function withBelonging<T>(ids: readonly string[], get: (id: string) => T, belonging: readonly string[]): T[] {
  const wanted = unique(ids)
  return [...wanted.map(get), ...unique(belonging).flatMap((id) => (wanted.includes(id) ? [] : present(() => get(id))))]
}

/** One entry, or none when it is no longer stored. */
function present<T>(get: () => T): T[] {
  try {
    return [get()]
  } catch (error) {
    if (error instanceof EdgesmithError && error.code === 'NOT_FOUND') return []
    throw error
  }
}

/** Graphs are drawn in the window only; those of large models would be most of a report. */
function withoutGraphs(analysis: Analysis): Analysis {
  if (analysis.kind !== 'layers') return analysis
  const none = { nodes: [], edges: [], truncated: true }
  return { ...analysis, result: { ...analysis.result, baselineGraph: none, buildGraph: none } }
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}

/** The models with these ids and everything they were made from. */
function withAncestors(models: readonly Model[], ids: ReadonlySet<string | null | undefined>): Model[] {
  const byId = new Map(models.map((model) => [model.id, model]))
  const wanted = new Set<Model>()
  for (const id of ids)
    for (let model = byId.get(id ?? ''); model && !wanted.has(model); model = byId.get(model.parentId ?? '')) wanted.add(model)
  return [...wanted]
}

function reportedModel({ id, name, kind, sha256, sizeBytes, parentId, recipe, target, summary, report }: Model): ReportedModel {
  const { opset, parameters, producer, metadata } = report
  const made = { id, name, kind, sha256, sizeBytes, parentId, recipe, target, summary }
  return { ...made, opset, parameters, producer, statedLineage: statedLineage(metadata) }
}

function reportedDataset({ id, name, report, files, classNames, split }: Dataset): ReportedDataset {
  return { id, name, samples: report.samples, sha256: files.map(({ sha256 }) => sha256), classNames, split }
}
