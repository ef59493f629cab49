import { LIMIT_DB } from '../metrics/fidelity.ts'

/** How far values of one machine are from those of another. The numbers are null where they cannot be told. */
export interface ValueDifference {
  /** 'same': every value is equal; 'apart': numbers that differ; 'broken': values that are finite on one machine only; 'misfit': another count. */
  readonly kind: 'same' | 'apart' | 'broken' | 'misfit'
  /** 20·log10(‖here‖ / ‖here − there‖), within ±300; null unless 'apart'. */
  readonly sqnrDb: number | null
  /** 0 when the same; null when broken or misfit. */
  readonly maxAbsDiff: number | null
  readonly meanAbsDiff: number | null
  /** here·there / (‖here‖·‖there‖): 1 when the same. */
  readonly cosine: number | null
}

const UNKNOWN = { sqnrDb: null, maxAbsDiff: null, meanAbsDiff: null, cosine: null }

/**
 * Compares the same tensor of two machines value by value. NaN equals NaN, and infinities of the same sign are equal; such places are left out
 * of the sums. Worked example: here [3, 4], there [3, 4.5]: noise 0.5, signal 5, sqnrDb = 20·log10(10) = 20, maxAbsDiff 0.5, meanAbsDiff 0.25.
 */
export function valueDifference(here: Float32Array, there: Float32Array): ValueDifference {
  if (here.length !== there.length) return { kind: 'misfit', ...UNKNOWN }
  let [signal, other, product, noise, distance, largest] = [0, 0, 0, 0, 0, 0]
  let [compared, equal] = [0, true]
  for (let index = 0; index < here.length; index++) {
    const [a, b] = [here[index]!, there[index]!]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) {
      if (!Number.isFinite(a)) continue
    } else if (Number.isFinite(a) && Number.isFinite(b)) equal = false
    else return { kind: 'broken', ...UNKNOWN }
    const size = Math.abs(a - b)
    compared++
    signal += a * a
    other += b * b
    product += a * b
    noise += size * size
    distance += size
    if (size > largest) largest = size
  }
  if (equal) return { kind: 'same', sqnrDb: null, maxAbsDiff: 0, meanAbsDiff: 0, cosine: 1 }
  return {
    kind: 'apart',
    sqnrDb: Math.max(-LIMIT_DB, Math.min(LIMIT_DB, 10 * Math.log10(signal / noise))),
    maxAbsDiff: largest,
    meanAbsDiff: distance / compared,
    cosine: signal > 0 && other > 0 ? Math.max(-1, Math.min(1, product / Math.sqrt(signal * other))) : 0,
  }
}
