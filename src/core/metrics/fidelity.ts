/** How close one set of outputs is to another. */
export interface FidelityResult {
  /** 20·log10(‖reference‖ / ‖reference − actual‖); `null` when both are identical. Kept within ±{@link LIMIT_DB}. */
  readonly sqnrDb: number | null
  /** reference·actual / (‖reference‖·‖actual‖); 1 when both are zero, 0 when one of them is. */
  readonly cosine: number
  readonly maxAbsDiff: number
}

/** Numbers that travel as JSON must be finite: an all-zero reference with another output would be −∞. */
export const LIMIT_DB = 300

/**
 * Compares outputs piece by piece without keeping them: call {@link FidelityAccumulator.add} for every batch, then
 * {@link FidelityAccumulator.result}. Worked example: reference [3, 4], actual [3, 4.5]: noise 0.5, signal 5,
 * sqnrDb = 20·log10(10) = 20, maxAbsDiff 0.5.
 * Definition of the ratio: ONNX Runtime, `qdq_loss_debug.compute_signal_to_quantization_noice_ratio`.
 */
export class FidelityAccumulator {
  private reference = 0
  private actual = 0
  private product = 0
  private noise = 0
  private largest = 0

  /**
   * Places where the reference is NaN or infinite are left out.
   * @throws RangeError when the lengths differ
   */
  add(reference: ArrayLike<number | bigint>, actual: ArrayLike<number | bigint>): void {
    if (reference.length !== actual.length) throw new RangeError(`${actual.length} values compared with ${reference.length}`)
    const [expected, found] = [floats(reference), floats(actual)]
    // Asking each value takes six times as long as adding it: only where a sum shows that there is something to leave out.
    const sums = sumsOfAll(expected, found)
    this.include(Number.isFinite(sums.reference + sums.noise) ? sums : sumsOfFinite(expected, found))
  }

  private include(sums: Sums): void {
    this.reference += sums.reference
    this.actual += sums.actual
    this.product += sums.product
    this.noise += sums.noise
    this.largest = Math.max(this.largest, sums.largest)
  }

  result(): FidelityResult {
    const ratioDb = 10 * Math.log10(this.reference / this.noise)
    return {
      sqnrDb: this.noise === 0 ? null : Math.max(-LIMIT_DB, Math.min(LIMIT_DB, ratioDb)),
      cosine: this.cosine(),
      maxAbsDiff: this.largest,
    }
  }

  private cosine(): number {
    if (this.reference === 0 || this.actual === 0) return this.reference === this.actual ? 1 : 0
    return Math.min(1, this.product / Math.sqrt(this.reference * this.actual))
  }
}

type Floats = Float32Array | Float64Array

/** Sums over pairs of values: squares, products, squared and largest differences. */
interface Sums {
  readonly reference: number
  readonly actual: number
  readonly product: number
  readonly noise: number
  readonly largest: number
}

function sumsOfAll(expected: Floats, found: Floats): Sums {
  let reference = 0
  let actual = 0
  let product = 0
  let noise = 0
  let largest = 0
  for (let index = 0; index < expected.length; index++) {
    const a = expected[index]!
    const b = found[index]!
    const difference = a - b
    reference += a * a
    actual += b * b
    product += a * b
    noise += difference * difference
    const distance = Math.abs(difference)
    if (distance > largest) largest = distance
  }
  return { reference, actual, product, noise, largest }
}

/** The same, places left out where the reference is NaN or infinite. */
function sumsOfFinite(expected: Floats, found: Floats): Sums {
  const kept = (_: number, index: number): boolean => Number.isFinite(expected[index])
  const sums = sumsOfAll(expected.filter(kept), found.filter(kept))
  // A NaN among what was found is larger than nothing; it must show.
  return Number.isNaN(sums.noise) ? { ...sums, largest: Number.NaN } : sums
}

function floats(values: ArrayLike<number | bigint>): Floats {
  return values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values, Number)
}

/** The result furthest from its reference: lowest ratio, then lowest cosine. */
export function worstFidelity(results: readonly FidelityResult[]): FidelityResult {
  const [first, ...others] = results
  if (!first) throw new Error('no results to compare')
  const key = ({ sqnrDb }: FidelityResult) => sqnrDb ?? Number.POSITIVE_INFINITY
  return others.reduce(
    (worst, result) => (key(result) < key(worst) || (key(result) === key(worst) && result.cosine < worst.cosine) ? result : worst),
    first,
  )
}
