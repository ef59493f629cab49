import { CoreError } from '../core-error.ts'
import type { RandomSource } from '../statistics/seeded-random.ts'
import { countBins, type DriftReference, encodeSample, type FeatureSketch, finiteAscending, type WatchedFeature } from './feature-sketch.ts'

/** With fewer rows the reference is so rough that chance alone exceeds a PSI of 0.1: with 500, 52 features raise an alarm in one window out of ten. */
export const fewestReferenceRows = 1000
/** Features of one reference: 5 kB each in the file, 8 kB each in the service. */
export const mostFeatures = 1024
/** Values of a feature kept for the Kolmogorov-Smirnov test, as many as a window has rows: more would hardly sharpen it. */
export const mostSampled = 1000
/** Bins of numeric features. */
const BINS = 10
/** A feature with at most as many different values is categorical: two for each of the bins that a numeric one gets. */
export const mostCategories = 20
/** Rows that bins are made from: the noise of the reference is then a tenth of that of a window. */
const KEPT_ROWS = 10_000
/** Bounds the memory of those to 40 MB. */
const KEPT_VALUES = 10_000_000

/** Rows come one at a time; what is kept is a random choice of 10,000 of them at most (reservoir, Vitter's algorithm R), whatever their order. */
export class ReferenceSketcher {
  readonly #features: readonly WatchedFeature[]
  readonly #random: RandomSource
  readonly #capacity: number
  /** One column after the other, each of `#capacity` values. */
  readonly #kept: Float32Array
  #rows = 0

  /**
   * @param features at least one
   * @param random decides which rows are kept
   * @throws CoreError `TOO_LARGE` for more than 1,024 features; RangeError for none
   */
  constructor(features: readonly WatchedFeature[], random: RandomSource) {
    if (features.length === 0) throw new RangeError('no feature to sketch')
    if (features.length > mostFeatures) {
      throw new CoreError('TOO_LARGE', `Drift is watched for at most ${mostFeatures} features, these are ${features.length}.`, {
        hint: 'Watch a part of the inputs, or the predictions only.',
        details: { limit: mostFeatures, found: features.length },
      })
    }
    this.#features = features
    this.#random = random
    this.#capacity = Math.min(KEPT_ROWS, Math.floor(KEPT_VALUES / features.length))
    this.#kept = new Float32Array(this.#capacity * features.length)
  }

  /** Rows offered so far. */
  get rows(): number {
    return this.#rows
  }

  /** @param row one number for each feature, in their order; NaN where there is none */
  add(row: ArrayLike<number>): void {
    if (row.length !== this.#features.length) throw new RangeError(`a row of ${row.length} numbers, expected ${this.#features.length}`)
    const place = this.#rows < this.#capacity ? this.#rows : this.#random.below(this.#rows + 1)
    this.#rows++
    if (place >= this.#capacity) return
    for (let feature = 0; feature < row.length; feature++) this.#kept[feature * this.#capacity + place] = row[feature] as number
  }

  /** The sketch of the rows so far. @throws CoreError `USAGE` for fewer than 1,000 rows */
  finish(): DriftReference {
    if (this.#rows < fewestReferenceRows) {
      throw new CoreError('USAGE', `A reference for drift needs at least ${fewestReferenceRows} rows, these are ${this.#rows}.`, {
        hint: 'Take a larger dataset, such as the one the model was trained with.',
        details: { expected: fewestReferenceRows, found: this.#rows },
      })
    }
    const kept = Math.min(this.#rows, this.#capacity)
    const picked = this.#pick(kept)
    return {
      version: 1,
      rows: this.#rows,
      features: this.#features.map((feature, index) => {
        const start = index * this.#capacity
        return sketchFeature(feature, this.#kept.subarray(start, start + kept), picked)
      }),
    }
  }

  /**
   * Places of the rows whose values are stored, the same for all features. Drawn anew (Fisher and Yates, begun): the first places of a
   * reservoir are no random choice, they hold the first rows or late ones.
   */
  #pick(kept: number): Uint32Array {
    const places = Uint32Array.from({ length: kept }, (_, place) => place)
    const count = Math.min(kept, mostSampled)
    for (let place = 0; place < count; place++) {
      const other = place + this.#random.below(kept - place)
      const moved = places[place] as number
      places[place] = places[other] as number
      places[other] = moved
    }
    return places.subarray(0, count)
  }
}

function sketchFeature({ name, source }: WatchedFeature, values: Float32Array, picked: Uint32Array): FeatureSketch {
  const sorted = finiteAscending(values)
  const categories = differentValues(sorted)
  const bins = categories
    ? ({ kind: 'categorical', edges: categories } as const)
    : ({ kind: 'numeric', edges: quantileEdges(sorted) } as const)
  const sample = categories ? new Float32Array() : Float32Array.from(picked, (place) => values[place] as number)
  return { name, source, ...bins, counts: countBins(bins, values), sample: encodeSample(finiteAscending(sample)) }
}

/** All different values, undefined when they are more than 20. −0 is 0. */
function differentValues(sorted: Float32Array): number[] | undefined {
  const different: number[] = []
  for (const value of sorted) {
    if (different.length > 0 && different.at(-1) === value) continue
    if (different.length === mostCategories) return undefined
    different.push(value === 0 ? 0 : value)
  }
  return different
}

/** The 10 %, 20 %, … 90 % quantiles, values that occur; each once, and not the greatest value, above which nothing was. */
function quantileEdges(sorted: Float32Array): number[] {
  const edges: number[] = []
  for (let bin = 1; bin < BINS; bin++) {
    const edge = sorted[Math.ceil((bin * sorted.length) / BINS) - 1] as number
    if (edge !== edges.at(-1) && edge < (sorted.at(-1) as number)) edges.push(edge)
  }
  return edges
}
