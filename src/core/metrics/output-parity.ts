import { LIMIT_DB } from './fidelity.ts'

/** Values of one sample of one output, as numbers. */
export type OutputValues = Float32Array | Float64Array

/** How far one sample is from the baseline's. */
export interface SampleParity {
  /** {@link LIMIT_DB} when identical. */
  readonly sqnrDb: number
  readonly cosine: number
  readonly maxAbsDiff: number
}

/** How far an output is from the baseline's over all samples. Fields are those of the contract's `parityDetailSchema`. */
export interface OutputParityResult {
  /** Signal to noise over all values together (see `fidelity.ts`); null when identical. */
  readonly sqnrDb: number | null
  /** Mean over the samples: 1 points the same way, whatever the length. */
  readonly cosine: number
  /** Lowest of one sample. */
  readonly worstCosine: number
  readonly maxAbsDiff: number
  readonly meanAbsDiff: number
}

/** Sums over pairs of values. */
interface Sums {
  readonly count: number
  readonly reference: number
  readonly actual: number
  readonly product: number
  readonly noise: number
  readonly distance: number
  readonly largest: number
  /** Values that are not finite where the baseline's are. */
  readonly broken: number
}

/**
 * Compares one output of two models sample by sample, without keeping it. Places where the baseline is NaN or infinite are left out; a
 * value that is not finite where the baseline's is counts as noise without bound: its sample and the output get −300 dB and cosine 0,
 * and it is left out of the differences ({@link OutputParity.brokenValues} tells how many there were).
 */
export class OutputParity {
  private totals: Sums = { count: 0, reference: 0, actual: 0, product: 0, noise: 0, distance: 0, largest: 0, broken: 0 }
  private cosines = 0
  private worstCosine = 1
  private samples = 0

  /** @throws RangeError when the lengths differ */
  add(reference: OutputValues, actual: OutputValues): SampleParity {
    if (reference.length !== actual.length) throw new RangeError(`${actual.length} values compared with ${reference.length}`)
    // Asking each value takes several times as long as adding it: only where a sum shows that there is something to leave out.
    const quick = sumsOfAll(reference, actual)
    const sums = Number.isFinite(quick.reference + quick.noise) ? quick : sumsOfFinite(reference, actual)
    this.totals = joined(this.totals, sums)
    const cosine = cosineOf(sums)
    this.cosines += cosine
    this.worstCosine = Math.min(this.worstCosine, cosine)
    this.samples++
    return { sqnrDb: decibelsOf(sums), cosine, maxAbsDiff: finite(sums.largest) }
  }

  get brokenValues(): number {
    return this.totals.broken
  }

  /** @throws RangeError when nothing was compared */
  result(): OutputParityResult {
    if (this.samples === 0) throw new RangeError('no samples to compare')
    const { noise, broken, distance, count, largest } = this.totals
    return {
      sqnrDb: noise === 0 && broken === 0 ? null : decibelsOf(this.totals),
      cosine: this.cosines / this.samples,
      worstCosine: this.worstCosine,
      maxAbsDiff: finite(largest),
      meanAbsDiff: count === 0 ? 0 : finite(distance) / count,
    }
  }
}

function sumsOfAll(expected: OutputValues, found: OutputValues): Sums {
  let [reference, actual, product, noise, distance, largest] = [0, 0, 0, 0, 0, 0]
  for (let index = 0; index < expected.length; index++) {
    const [a, b] = [expected[index]!, found[index]!]
    const difference = a - b
    reference += a * a
    actual += b * b
    product += a * b
    noise += difference * difference
    const size = Math.abs(difference)
    distance += size
    if (size > largest) largest = size
  }
  return { count: expected.length, reference, actual, product, noise, distance, largest, broken: 0 }
}

function sumsOfFinite(expected: OutputValues, found: OutputValues): Sums {
  const finite = (values: OutputValues, index: number): boolean => Number.isFinite(values[index])
  const both = (_: number, index: number): boolean => finite(expected, index) && finite(found, index)
  const sums = sumsOfAll(expected.filter(both), found.filter(both))
  return { ...sums, broken: expected.filter((_, index) => finite(expected, index) && !finite(found, index)).length }
}

function joined(a: Sums, b: Sums): Sums {
  return {
    count: a.count + b.count,
    reference: a.reference + b.reference,
    actual: a.actual + b.actual,
    product: a.product + b.product,
    noise: a.noise + b.noise,
    distance: a.distance + b.distance,
    largest: Math.max(a.largest, b.largest),
    broken: a.broken + b.broken,
  }
}

function decibelsOf({ reference, noise, broken }: Sums): number {
  // Squares of float64 values beyond 1e154 overflow: then nothing can be said for the build.
  if (broken > 0 || noise === Number.POSITIVE_INFINITY) return -LIMIT_DB
  if (noise === 0) return LIMIT_DB
  return Math.max(-LIMIT_DB, Math.min(LIMIT_DB, 10 * Math.log10(reference / noise)))
}

/** Numbers that travel as JSON must be finite. */
function finite(value: number): number {
  return Math.min(value, Number.MAX_VALUE)
}

function cosineOf({ reference, actual, product, broken }: Sums): number {
  if (broken > 0) return 0
  if (reference === 0 || actual === 0) return reference === actual ? 1 : 0
  const length = Math.sqrt(reference * actual)
  return length > 0 && Number.isFinite(length) ? Math.max(-1, Math.min(1, product / length)) : 0
}
