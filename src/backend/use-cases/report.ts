import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { HandlersOf } from '../handlers.ts'
import { renderComparisonReport } from '../report/comparison-report.ts'
import { writeReport } from '../report/write-report.ts'
import type { Services } from '../services.ts'

/** Writing reports. */
export function reportHandlers(services: Services): HandlersOf<'report'> {
  return {
    'report.write': ({ comparisonIds, path }) => {
      const known = new Map(services.measurements.comparisons().map((comparison) => [comparison.id, comparison]))
      const comparisons = comparisonIds.map((id) => {
        const comparison = known.get(id)
        if (!comparison) throw new EdgesmithError('NOT_FOUND', `There is no comparison ${id}`)
        return comparison
      })
      const ids = new Set(comparisons.flatMap(({ rows }) => rows.map(({ modelId }) => modelId)))
      const text = renderComparisonReport(comparisons, {
        models: withAncestors(services.models.list(), ids),
        edgesmithVersion: services.layout.version,
        writtenAt: new Date().toISOString(),
      })
      return writeReport(path, text)
    },
  }
}

/** The models with these ids and everything they were made from. */
function withAncestors(models: readonly Model[], ids: ReadonlySet<string>): Model[] {
  const byId = new Map(models.map((model) => [model.id, model]))
  const wanted = new Set<Model>()
  for (const id of ids)
    for (let model = byId.get(id); model; model = model.parentId ? byId.get(model.parentId) : undefined) wanted.add(model)
  return [...wanted]
}
