import type { Comparison } from '../../../contract/measurement.ts'
import type { ReportDocument } from '../../../contract/report.ts'
import { formatCounted } from '../quantities.ts'
import { matrixTitle } from '../sections/matrix-section.ts'
import { validationTitle } from '../sections/validation-section.ts'
import { comparedRows } from '../verdicts.ts'

type Content = Pick<ReportDocument, 'comparisons' | 'benchmarks' | 'evaluations' | 'analyses' | 'matrices' | 'validations'>

/** The longest title that is made up; a comparison of more models is counted instead of listed. */
const TITLE_LIMIT = 160

/** A title for a report that was given none: what it holds, and where that ran when it is one comparison. */
export function reportTitle(content: Content): string {
  const [comparison] = content.comparisons
  const own = new Set(content.comparisons.map(({ id }) => id))
  const inMatrix = new Set(
    content.matrices.flatMap(({ cells }) => cells.flatMap(({ benchmarkId, evaluationId }) => [benchmarkId, evaluationId])),
  )
  // What came along with a comparison or matrix is not worth a word of its own.
  const alone = <T extends { readonly id: string; readonly comparisonId: string | null }>(runs: readonly T[]) =>
    runs.filter(({ id, comparisonId }) => !inMatrix.has(id) && (comparisonId === null || !own.has(comparisonId))).length
  const parts = [
    ...(content.matrices.length > 0 ? [content.matrices.length === 1 ? '1 matrix' : `${content.matrices.length} matrices`] : []),
    ...(content.comparisons.length > 0 ? [formatCounted(content.comparisons.length, 'comparison')] : []),
    ...counted(alone(content.benchmarks), 'benchmark'),
    ...counted(alone(content.evaluations), 'evaluation'),
    ...(content.analyses.length > 0 ? [content.analyses.length === 1 ? '1 analysis' : `${content.analyses.length} analyses`] : []),
    ...counted(content.validations.length, 'validation'),
  ]
  const [matrix] = content.matrices
  const [validation] = content.validations
  if (validation && parts.length === 1 && content.validations.length === 1) return validationTitle(validation)
  if (matrix && parts.length === 1 && content.matrices.length === 1) return matrixTitle(matrix)
  return comparison && parts.length === 1 && content.comparisons.length === 1 ? comparisonTitle(comparison) : parts.join(', ')
}

function counted(count: number, noun: string): string[] {
  return count > 0 ? [formatCounted(count, noun)] : []
}

/** Which models were compared with what, and where. */
export function comparisonTitle(comparison: Comparison): string {
  const { baseline, device } = comparison
  const rows = comparedRows(comparison)
  if (rows.length === 0) return `${baseline} on ${device}`
  const names = rows.map(({ model }) => model).join(', ')
  const title = `${names} against ${baseline} on ${device}`
  return title.length <= TITLE_LIMIT ? title : `${formatCounted(rows.length, 'model')} against ${baseline} on ${device}`
}
