const view = new Float32Array(1)
const bits = new Uint32Array(view.buffer)

/** The smallest weights of a set, described without a list: everything below a magnitude, and some that are equal to it. */
export interface SmallestWeights {
  /** Weights with a smaller magnitude are all among the smallest. */
  readonly threshold: number
  /** So many with exactly this magnitude are, too; the first in order. */
  readonly ties: number
}

/**
 * Finds the `count` smallest of all weights by magnitude, in two passes over the bits of the floats (a positive float32
 * grows with its bits), without copying or sorting.
 *
 * @param groups all weights, in the order in which ties are broken; NaN counts as largest
 * @param count 0 to the number of weights
 */
export function smallestWeights(groups: readonly Float32Array[], count: number): SmallestWeights {
  if (count === 0) return { threshold: 0, ties: 0 }
  const upper = histogram(groups, (pattern) => pattern >>> 16)
  const high = binOf(upper, count)
  const lower = histogram(groups, (pattern) => (pattern >>> 16 === high.bin ? pattern & 0xffff : -1))
  const low = binOf(lower, count - high.before)
  bits[0] = ((high.bin << 16) | low.bin) >>> 0
  return { threshold: view[0]!, ties: count - high.before - low.before }
}

/** Counts of each 16-bit number that `part` makes of the magnitudes' bits; −1 is not counted. */
function histogram(groups: readonly Float32Array[], part: (pattern: number) => number): Float64Array {
  const counts = new Float64Array(2 ** 16)
  for (const weights of groups) {
    for (let index = 0; index < weights.length; index++) {
      view[0] = weights[index]!
      const bin = part(bits[0]! & 0x7fffffff)
      if (bin >= 0) counts[bin]!++
    }
  }
  return counts
}

/** The bin that holds entry number `rank` (from 1), and how many lie in the bins before it. */
function binOf(counts: Float64Array, rank: number): { readonly bin: number; readonly before: number } {
  let before = 0
  for (let bin = 0; bin < counts.length; bin++) {
    if (before + counts[bin]! >= rank) return { bin, before }
    before += counts[bin]!
  }
  throw new RangeError(`there are only ${before} weights, not ${rank}`)
}
