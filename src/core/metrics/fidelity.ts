/** How close one set of outputs is to another. */
export interface FidelityResult {
  /** 20·log10(‖reference‖ / ‖reference − actual‖); `null` when both are identical. Kept within ±{@link LIMIT_DB}. */
  readonly sqnrDb: number | null
  /** reference·actual / (‖reference‖·‖actual‖); 1 when both are zero, 0 when one of them is. */
  readonly cosine: number
  readonly maxAbsDiff: number
}

/** Numbers that travel as JSON must be finite: an all-zero reference with another output would be −∞. */
const LIMIT_DB = 300

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
    // Sums in local variables and no calls inside: this runs over every activation of a network.
    let [expectedSquares, foundSquares, product, noise, largest] = [0, 0, 0, 0, this.largest]
    for (let index = 0; index < reference.length; index++) {
      const expected = numberAt(reference, index)
      const found = numberAt(actual, index)
      // Infinity − Infinity and NaN − NaN are NaN, which equals nothing.
      if (expected - expected !== 0) continue
      const difference = expected - found
      expectedSquares += expected * expected
      foundSquares += found * found
      product += expected * found
      noise += difference * difference
      const distance = difference < 0 ? -difference : difference
      if (distance > largest || Number.isNaN(distance)) largest = distance
    }
    this.reference += expectedSquares
    this.actual += foundSquares
    this.product += product
    this.noise += noise
    this.largest = largest
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

function numberAt(values: ArrayLike<number | bigint>, index: number): number {
  const value = values[index]!
  return typeof value === 'number' ? value : Number(value)
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
