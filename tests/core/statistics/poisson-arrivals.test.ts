import { describe, expect, it } from 'vitest'
import { poissonArrivals } from '../../../src/core/statistics/poisson-arrivals.ts'

const COUNT = 20_000

function gaps(rate: number, seed: number): Float64Array {
  const arrivals = poissonArrivals(rate, seed)
  let last = 0
  return Float64Array.from({ length: COUNT }, () => {
    const at = arrivals.next()
    const gap = at - last
    last = at
    return gap
  })
}

// Seeds are fixed: each test sees the same numbers every time, and cannot fail by chance.
describe('poissonArrivals', () => {
  it('come at the rate, with exponential gaps (Kolmogorov-Smirnov)', () => {
    for (const seed of [1, 2, 3]) {
      const rate = 250
      const sorted = gaps(rate, seed).sort()
      let distance = 0
      for (const [i, gapMs] of sorted.entries()) {
        const expected = 1 - Math.exp((-gapMs * rate) / 1000)
        distance = Math.max(distance, Math.abs(expected - i / COUNT), Math.abs((i + 1) / COUNT - expected))
      }
      // Critical value at 1 %: 1.628 / √n.
      expect(distance).toBeLessThan(1.628 / Math.sqrt(COUNT))
      const mean = sorted.reduce((sum, gap) => sum + gap, 0) / COUNT
      // Four standard errors of the mean of exponential gaps.
      expect(Math.abs(mean - 4)).toBeLessThan((4 * 4) / Math.sqrt(COUNT))
    }
  })

  it('do not know of each other: counts in windows vary as much as their mean, and gaps do not follow each other', () => {
    const found = gaps(1000, 5)
    const counts = new Array<number>(200).fill(0)
    let at = 0
    for (const gap of found) {
      at += gap
      const window = Math.floor(at / 50)
      if (window < counts.length) counts[window] = (counts[window] as number) + 1
    }
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (counts.length - 1)
    // Index of dispersion: 1 for a Poisson process; its standard error is √(2/199).
    expect(Math.abs(variance / mean - 1)).toBeLessThan(4 * Math.sqrt(2 / 199))
    const average = found.reduce((sum, gap) => sum + gap, 0) / COUNT
    let together = 0
    let alone = 0
    for (let i = 1; i < COUNT; i++) {
      together += ((found[i] as number) - average) * ((found[i - 1] as number) - average)
      alone += ((found[i] as number) - average) ** 2
    }
    expect(Math.abs(together / alone)).toBeLessThan(4 / Math.sqrt(COUNT))
  })

  it('are the same for the same seed, ascending, and scale with the rate', () => {
    const [a, b, fast] = [poissonArrivals(10, 9), poissonArrivals(10, 9), poissonArrivals(1000, 9)]
    let last = 0
    for (let i = 0; i < 1000; i++) {
      const at = a.next()
      expect(at).toBeGreaterThanOrEqual(last)
      expect(b.next()).toBe(at)
      expect(fast.next()).toBeCloseTo(at / 100, 6)
      last = at
    }
  })
})
