import { type StatedLineage, statedLineageSchema } from '../../../contract/report.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { LINEAGE_KEY } from '../../../engine/optimize/lineage.ts'

/** How an imported file says it was made, when it is a build that Edgesmith wrote somewhere; null otherwise. */
export function statedLineage(metadata: Readonly<Record<string, string>>): StatedLineage | null {
  const text = Object.hasOwn(metadata, LINEAGE_KEY) ? metadata[LINEAGE_KEY] : undefined
  return text === undefined ? null : (statedLineageSchema.safeParse(parseJson(text)).data ?? null)
}
