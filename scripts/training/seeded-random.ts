/** A small random number generator with a seed (mulberry32 by Tommy Ettinger, public domain): the same seed gives the same training. */
export class SeededRandom {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit)
  }

  /** Normal with mean 0 and variance 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Puts the entries in random order, in place (Fisher and Yates). */
  shuffle(entries: Int32Array): void {
    for (let index = entries.length - 1; index > 0; index--) {
      const other = this.below(index + 1)
      const entry = entries[index] as number
      entries[index] = entries[other] as number
      entries[other] = entry
    }
  }
}
