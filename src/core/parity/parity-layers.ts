import type { LayerValues } from './machine-outputs.ts'
import { type ValueDifference, valueDifference } from './value-difference.ts'

/** A layer with how far both machines are apart behind it. */
export interface ComparedLayer extends ValueDifference {
  readonly values: LayerValues
  /**
   * Signal to noise of its worst input minus its own, dB; null where nothing differs, or where values are broken. An input that is the same
   * on both machines counts as {@link SAME_DB}.
   */
  readonly lostDb: number | null
}

/** Two float32 numbers that are not equal differ by 2⁻²⁴ of their size or more: 20·log10(2²⁴) dB stand for "the same" in a subtraction. */
export const SAME_DB = 144.5

/** Compares inner tensors by name, in the order of `here`; what only one machine has is left out. */
export function compareLayerValues(here: readonly LayerValues[], there: readonly LayerValues[]): ComparedLayer[] {
  const others = new Map(there.map((layer) => [layer.tensor, layer]))
  const levels = new Map<string, number | null>()
  const compared: ComparedLayer[] = []
  for (const layer of here) {
    const other = others.get(layer.tensor)
    if (!other) continue
    const difference = valueDifference(layer.values, other.values)
    const own = levelOf(difference)
    levels.set(layer.tensor, own)
    const inputs = layer.inputs.map((tensor) => levels.get(tensor)).filter((level) => level !== undefined)
    const before = inputs.includes(null) ? null : Math.min(SAME_DB, ...inputs.map((level) => level as number))
    const lostDb = difference.kind !== 'apart' || own === null || before === null ? null : before - own
    compared.push({ ...difference, values: layer, lostDb })
  }
  return compared
}

/** Signal to noise for subtractions; null where there is none. */
function levelOf({ kind, sqnrDb }: ValueDifference): number | null {
  if (kind === 'same') return SAME_DB
  return sqnrDb === null ? null : Math.min(SAME_DB, sqnrDb)
}
