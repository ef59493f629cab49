import type { CompareAllResult } from '../../../contract/compare-all.ts'
import type { ComparisonRow } from '../../../contract/measurement.ts'

/** One recipe with what became of it. */
export interface CompareAllRow {
  readonly title: string
  readonly modelId: string | null
  readonly row: ComparisonRow | null
  readonly error: CompareAllResult['entries'][number]['error']
  /** The recipe before it that made the same build. */
  readonly twin: string | null
  readonly recommended: boolean
}

/** Every recipe: measured ones fastest first, then those that could not be applied. */
export function compareAllRows({ entries, comparison, recommended }: CompareAllResult): CompareAllRow[] {
  const first = new Map<string, string>()
  const rows = entries.map(({ title, modelId, error }): CompareAllRow => {
    const twin = modelId === null ? null : (first.get(modelId) ?? null)
    if (modelId !== null && twin === null) first.set(modelId, title)
    return {
      title,
      modelId,
      row: comparison?.rows.find((row) => row.modelId === modelId) ?? null,
      error,
      twin,
      recommended: twin === null && modelId !== null && modelId === recommended?.modelId,
    }
  })
  // Stable: recipes that made the same build stay in their order.
  return rows.sort((a, b) => (b.row?.speedup?.estimate ?? 0) - (a.row?.speedup?.estimate ?? 0))
}
