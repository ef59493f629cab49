/** A stream of random numbers that the seed alone decides. */
export interface RandomSource {
  /** A whole number, 0 to 2³² − 1. */
  next(): number
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number
  /** A whole number, 0 to `bound` − 1, without bias. `bound` from 1 to 2³². */
  below(bound: number): number
}

/**
 * xoshiro128** 1.1 (Blackman & Vigna 2018), seeded through SplitMix32. Chosen because it needs only 32-bit integer arithmetic,
 * passes BigCrush and has period 2¹²⁸ − 1; a one-word generator such as mulberry32 would repeat within one large bootstrap.
 *
 * @param seed any number; its lower 32 bits count
 */
export function seededRandom(seed: number): RandomSource {
  let state = seed | 0
  const splitMix = () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
  return xoshiro128([splitMix(), splitMix(), splitMix(), splitMix()])
}

/** xoshiro128** from a whole state of four 32-bit words, not all zero. */
export function xoshiro128(state: readonly [number, number, number, number]): RandomSource {
  let [a, b, c, d] = state
  const next = () => {
    const times5 = Math.imul(b, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  const below = (bound: number) => {
    // Values under 2³² mod bound would make the first residues likelier: draw again.
    const unfair = 2 ** 32 % bound
    let value = next()
    while (value < unfair) value = next()
    return value % bound
  }
  return { next, uniform: () => next() / 2 ** 32, below }
}
