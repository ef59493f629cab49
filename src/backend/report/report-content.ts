import type { ReportDocument } from '../../contract/report.ts'
import type { Block } from './blocks/report-block.ts'
import { analysisBlocks } from './sections/analysis-section.ts'
import { benchmarkBlocks } from './sections/benchmark-section.ts'
import { buildBlocks, datasetBlocks } from './sections/build-section.ts'
import { comparisonBlocks } from './sections/comparison-section.ts'
import { environmentBlocks } from './sections/environment-section.ts'
import { evaluationBlocks } from './sections/evaluation-section.ts'
import { limitBlocks } from './sections/limits-section.ts'
import { matrixBlocks } from './sections/matrix-section.ts'
import { methodBlocks } from './sections/method-section.ts'
import { reportNames } from './sections/report-names.ts'
import { summaryBlocks } from './sections/summary-section.ts'
import { validationBlocks } from './sections/validation-section.ts'

/** Everything a report says, in order, for any format to draw: from the document alone, so that the same document says the same. */
export function reportContent(document: ReportDocument): Block[] {
  const names = reportNames(document)
  // The timings of a comparison stand in its own section, beside each other.
  const compared = new Set(document.comparisons.flatMap(({ rows }) => rows.map(({ benchmarkId }) => benchmarkId)))
  // Those of a matrix stand in its table.
  const inMatrix = new Set(
    document.matrices.flatMap(({ cells }) => cells.flatMap(({ benchmarkId, evaluationId }) => [benchmarkId, evaluationId])),
  )
  const benchmarks = document.benchmarks.filter(({ id }) => !compared.has(id) && !inMatrix.has(id))
  const evaluated = new Set(document.comparisons.flatMap(({ rows }) => rows.map(({ evaluationId }) => evaluationId)))
  const alone = document.evaluations.filter(({ id }) => !evaluated.has(id))
  return [
    ...summaryBlocks(document, benchmarks, alone, names),
    ...document.validations.flatMap(validationBlocks),
    ...document.matrices.flatMap(matrixBlocks),
    ...document.comparisons.flatMap((comparison) => comparisonBlocks(comparison, names)),
    ...evaluationBlocks(document.evaluations, names),
    ...benchmarkBlocks(benchmarks, names),
    ...document.analyses.flatMap((analysis) => analysisBlocks(analysis, names)),
    ...buildBlocks(document, names),
    ...datasetBlocks(document),
    ...environmentBlocks(document, names),
    ...methodBlocks(document),
    ...limitBlocks(document),
  ]
}
