import type { ModelProto } from 'onnx-buf'
import type { Target } from '../../contract/names.ts'
import type { Recipe } from '../../contract/recipe.ts'

/** Metadata key under which a build says how it was made. */
export const LINEAGE_KEY = 'edgesmith.lineage'

/** How a build was made. Holds no time and no path: the same inputs give byte-identical files. */
export interface Lineage {
  readonly source: { readonly name: string; readonly sha256: string }
  /** How the source itself was made, oldest first; empty for an imported model. */
  readonly history: readonly unknown[]
  readonly recipe: Recipe
  readonly target: Target
  readonly tool: { readonly name: 'edgesmith'; readonly version: string; readonly onnxRuntime: string }
  /** What ranges were measured on; null when no step needed it. */
  readonly calibration: { readonly dataset: string; readonly samples: number } | null
}

/** Writes the lineage into the model's metadata; everything else there (licence, labels …) stays. */
export function writeLineage(model: ModelProto, lineage: Lineage): void {
  const others = model.metadataProps.filter(({ key }) => key !== LINEAGE_KEY)
  model.metadataProps = [...others, { $typeName: 'onnx.StringStringEntryProto', key: LINEAGE_KEY, value: JSON.stringify(lineage) }]
}
