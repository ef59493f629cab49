import { describe, expect, it } from 'vitest'
import {
  bootstrapPValue,
  bootstrapStatistics,
  percentileInterval,
  sumsInGroups,
  totalSums,
} from '../../../src/core/statistics/bootstrap.ts'

describe('bootstrap', () => {
  const count = (samples: number, quantities = 1) =>
    sumsInGroups(
      samples,
      quantities,
      (sample, sums, at) => {
        sums[at] = sums[at]! + sample
      },
      1,
    )

  it('keeps every sample in exactly one group, and the groups few and even', () => {
    for (const samples of [1, 7, 10_000, 10_001, 123_457]) {
      const grouped = count(samples)
      expect(grouped.groups).toBe(Math.min(samples, 10_000))
      expect(totalSums(grouped)).toEqual(Float64Array.of((samples * (samples - 1)) / 2))
    }
    expect(count(5000, 100).groups).toBe(1600)
    expect(count(5000, 100_000).groups).toBe(200)
    const sizes = sumsInGroups(
      25_000,
      1,
      (_, sums, at) => {
        sums[at] = sums[at]! + 1
      },
      1,
    ).sums
    expect(new Set(sizes)).toEqual(new Set([2, 3]))
  })

  it('groups at random, so that sorted samples get the interval of shuffled ones', () => {
    const mean = (samples: number, values: (sample: number) => number) => {
      const grouped = sumsInGroups(
        samples,
        2,
        (sample, sums, at) => {
          sums[at] = sums[at]! + values(sample)
          sums[at + 1] = sums[at + 1]! + 1
        },
        3,
      )
      return percentileInterval(bootstrapStatistics(grouped, ([sum, n]) => [sum! / n!], 3)[0] as Float64Array) as [number, number]
    }
    // Uniform on 0..1: the standard error is 1 / √(12 n).
    const [low, high] = mean(40_000, (sample) => sample / 40_000)
    const expected = (2 * 1.96) / Math.sqrt(12 * 40_000)
    expect((high - low) / expected).toBeGreaterThan(0.92)
    expect((high - low) / expected).toBeLessThan(1.08)
  })

  it('leaves out resamples without a value, and has no interval without any', () => {
    const [found] = bootstrapStatistics(count(5), () => [Number.NaN], 1)
    expect(found).toEqual(new Float64Array())
    expect(percentileInterval(new Float64Array())).toBeUndefined()
  })

  it('doubts a difference by how many resamples lie on the other side', () => {
    expect(bootstrapPValue(Float64Array.from({ length: 1999 }, () => 1))).toBe(0.001)
    expect(bootstrapPValue(Float64Array.of(-1, 0, 1))).toBe(1)
    expect(bootstrapPValue(Float64Array.from({ length: 99 }, (_, i) => i - 1))).toBeCloseTo(0.06, 12)
  })
})
