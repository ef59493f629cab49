/** An answer for one sample, as two releases gave it. */
export interface ComparableAnswer {
  /** Of a classifier; null where its scores are no numbers. */
  readonly class: number | null | undefined
  /** By output name, nested lists of numbers, texts, booleans and nulls. */
  readonly outputs: Readonly<Record<string, unknown>>
}

/** Outputs further apart than this share of their range count as different. */
const FAR_SHARE = 0.1
/** As long as an output's range is known from fewer values, its size stands for it. */
const FEWEST_VALUES = 20
/** Ranges below this are those of an output that never changes. */
const SMALLEST_RANGE = 1e-6

interface OutputRange {
  low: number
  high: number
  values: number
}

/**
 * Counts how often two releases answer the same sample differently: another class or, where they are no classifiers, an output that is
 * further away than a tenth of the range the stable release's outputs have had so far.
 */
export class AnswerDivergence {
  readonly #ranges = new Map<string, OutputRange>()
  #compared = 0
  #differing = 0

  get counts(): { readonly compared: number; readonly differing: number } {
    return { compared: this.#compared, differing: this.#differing }
  }

  add(tried: ComparableAnswer, stable: ComparableAnswer): void {
    this.#compared++
    if (this.#differ(tried, stable)) this.#differing++
  }

  #differ(tried: ComparableAnswer, stable: ComparableAnswer): boolean {
    if (typeof tried.class === 'number' && typeof stable.class === 'number') return tried.class !== stable.class
    const names = Object.keys(stable.outputs)
    if (names.length !== Object.keys(tried.outputs).length) return true
    // All of them: each output's range must learn of this sample.
    return names
      .map((name) => !Object.hasOwn(tried.outputs, name) || this.#isFar(name, tried.outputs[name], stable.outputs[name]))
      .includes(true)
  }

  #isFar(name: string, tried: unknown, stable: unknown): boolean {
    const [ours, theirs] = [leaves(tried), leaves(stable)]
    const range = this.#widened(name, theirs)
    if (ours.length !== theirs.length) return true
    const size = range.values < FEWEST_VALUES ? Math.max(Math.abs(range.low), Math.abs(range.high)) : 0
    const allowed = FAR_SHARE * Math.max(range.high - range.low, size, SMALLEST_RANGE)
    return ours.some((value, index) => {
      const other = theirs[index]
      return typeof value === 'number' && typeof other === 'number' ? Math.abs(value - other) > allowed : value !== other
    })
  }

  #widened(name: string, values: readonly unknown[]): OutputRange {
    const range = this.#ranges.get(name) ?? { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, values: 0 }
    for (const value of values) {
      if (typeof value !== 'number') continue
      range.low = Math.min(range.low, value)
      range.high = Math.max(range.high, value)
      range.values++
    }
    this.#ranges.set(name, range)
    return range
  }
}

function leaves(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [value]
  return Array.isArray(value[0]) ? value.flat(Number.POSITIVE_INFINITY) : value
}
