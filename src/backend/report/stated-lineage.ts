import { z } from 'zod'
import { LINEAGE_KEY } from '../../engine/optimize/lineage.ts'

/** What of a lineage is shown; the file may come from another version, or from anybody. */
const statedLineageSchema = z.object({
  source: z.object({ name: z.string() }),
  recipe: z.array(z.looseObject({ recipe: z.string() })).max(8),
  target: z.string(),
  calibration: z.object({ dataset: z.string(), samples: z.number() }).nullable(),
})
export type StatedLineage = z.infer<typeof statedLineageSchema>

/** How an imported file says it was made, when it is a build that Edgesmith wrote somewhere; null otherwise. */
export function statedLineage(metadata: Readonly<Record<string, string>>): StatedLineage | null {
  const text = Object.hasOwn(metadata, LINEAGE_KEY) ? metadata[LINEAGE_KEY] : undefined
  if (text === undefined) return null
  try {
    return statedLineageSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    // Not JSON: it says nothing that can be shown.
    return null
  }
}
