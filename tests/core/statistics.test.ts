import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latencyStatisticsSchema, speedupSchema } from '../../src/contract/measurement.ts'
import { binomialTable, cumulativeAt } from '../../src/core/statistics/binomial.ts'
import { normalCdf, studentQuantile } from '../../src/core/statistics/distributions.ts'
import { sharedHistogram } from '../../src/core/statistics/histogram.ts'
import { latencyStatistics } from '../../src/core/statistics/latency-statistics.ts'
import { accuracyDifference, exactMcNemar } from '../../src/core/statistics/mcnemar.ts'
import { outlierShare } from '../../src/core/statistics/outliers.ts'
import { minimumSamples, percentileRanks } from '../../src/core/statistics/percentile-interval.ts'
import { median, percentileOfSorted, sortedAscending } from '../../src/core/statistics/percentiles.ts'
import { wilsonInterval } from '../../src/core/statistics/proportion.ts'
import { type RandomSource, seededRandom, xoshiro128 } from '../../src/core/statistics/seeded-random.ts'
import { speedup } from '../../src/core/statistics/speedup.ts'
import { summarize } from '../../src/core/statistics/summary.ts'

/** Reference values; `make-statistics-goldens.py` beside the file says how they were made. */
interface Goldens {
  percentiles: { values: number[]; percents: number[]; percentiles: number[]; mean: number; std: number }[]
  ranks: { count: number; percent: number; ranks: [number, number] | null }[]
  binomial: { n: number; p: number; k: number; cdf: number }[]
  mcnemar: { b: number; c: number; p: number }[]
  wilson: { successes: number; count: number; interval: [number, number] }[]
  normalCdf: { x: number; p: number }[]
  student: { df: number; t: number }[]
  outliers: { values: number[]; share: number | null }[]
  tail: { values: number[]; p999: number; ci: [number, number] }
}
const goldens: Goldens = JSON.parse(readFileSync(new URL('fixtures/statistics-goldens.json', import.meta.url), 'utf8'))

/** Standard normal numbers (Box-Muller). */
function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
}

/** `expected` to within a relative error. */
function expectClose(found: number, expected: number, relative: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(Math.abs(expected) * relative)
}

describe('summary and percentiles', () => {
  it('equal NumPy', () => {
    for (const golden of goldens.percentiles) {
      const values = Float32Array.from(golden.values)
      const sorted = sortedAscending(values)
      expect(golden.percents.map((percent) => percentileOfSorted(sorted, percent))).toEqual(golden.percentiles)
      const summary = summarize(values)
      expectClose(summary.mean, golden.mean, 1e-14)
      expectClose(summary.std, golden.std, 1e-13)
      expect(summary.min).toBe(sorted[0])
      expect(summary.max).toBe(sorted.at(-1))
    }
  })

  it('keep the digits of a small spread on a large mean', () => {
    expectClose(summarize([1e9 + 1, 1e9 + 2, 1e9 + 3]).std, 1, 1e-12)
  })

  it('leave the input alone and refuse nothing', () => {
    const values = Float32Array.of(3, 1, 2)
    expect(median(values)).toBe(2)
    expect([...values]).toEqual([3, 1, 2])
    expect(() => summarize([])).toThrow(RangeError)
    expect(() => percentileOfSorted([], 50)).toThrow(RangeError)
    expect(() => percentileOfSorted([1], 101)).toThrow(RangeError)
  })

  it('stay between the extremes and grow with the percentage', () => {
    const samples = fc.array(fc.float({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 })
    const percent = fc.double({ min: 0, max: 100, noNaN: true })
    fc.assert(
      fc.property(samples, percent, percent, (values, p, q) => {
        const sorted = sortedAscending(Float32Array.from(values))
        const [low, high] = [Math.min(p, q), Math.max(p, q)].map((value) => percentileOfSorted(sorted, value)) as [number, number]
        expect(low).toBeGreaterThanOrEqual(sorted[0] as number)
        expect(high).toBeLessThanOrEqual(sorted.at(-1) as number)
        // Neighbouring positions may round to neighbouring doubles.
        expect(low).toBeLessThanOrEqual(high * (1 + 1e-12))
      }),
    )
  })
})

describe('binomial distribution', () => {
  it('equals SciPy', () => {
    for (const { n, p, k, cdf } of goldens.binomial) expectClose(cumulativeAt(binomialTable(n, p), k), cdf, 1e-9)
  })

  it('has the reference quantiles of the normal and the t distribution beside it', () => {
    for (const { x, p } of goldens.normalCdf) expect(Math.abs(normalCdf(x) - p)).toBeLessThan(1e-14)
    expect([normalCdf(-9), normalCdf(9)]).toEqual([0, 1])
    for (const { df, t } of goldens.student) expectClose(studentQuantile(0.95, df), t, 1e-10)
  })
})

describe('percentile intervals', () => {
  it('use the exact ranks', () => {
    expect(percentileRanks(1000, 95)).toEqual({ lower: 936, upper: 964 })
    expect(percentileRanks(1000, 99)).toEqual({ lower: 983, upper: 997 })
    for (const { count, percent, ranks } of goldens.ranks) {
      const found = percentileRanks(count, percent)
      expect(found ? [found.lower, found.upper] : null, `${count} samples, p${percent}`).toEqual(ranks)
    }
  })

  it('exist from the documented number of samples on', () => {
    expect([50, 90, 95, 99, 99.9].map(minimumSamples)).toEqual([6, 29, 59, 299, 2995])
    for (const percent of [1, 5, 50, 95, 99]) {
      const fewest = minimumSamples(percent)
      expect(percentileRanks(fewest - 1, percent)).toBeUndefined()
      expect(percentileRanks(fewest, percent)).toBeDefined()
    }
    expect(() => minimumSamples(100)).toThrow(RangeError)
  })

  it('cover the true percentile in at least 95 % of repetitions and are mirrored for low percentiles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 500 }), fc.integer({ min: 1, max: 99 }), (count, percent) => {
        const ranks = percentileRanks(count, percent)
        const mirrored = percentileRanks(count, 100 - percent)
        if (!ranks || !mirrored) {
          expect(ranks).toEqual(mirrored)
          return
        }
        const table = binomialTable(count, percent / 100)
        const coverage = cumulativeAt(table, ranks.upper - 1) - cumulativeAt(table, ranks.lower - 1)
        expect(coverage).toBeGreaterThanOrEqual(0.95 - 1e-12)
        expect(mirrored).toEqual({ lower: count + 1 - ranks.upper, upper: count + 1 - ranks.lower })
      }),
    )
  })
})

describe('latencyStatistics', () => {
  const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1)

  it('keeps percentiles it cannot support to itself', () => {
    const supported = [1, 6, 28, 29, 58, 59, 298, 299, 2994, 2995].map((count) => {
      const found = latencyStatistics(ramp(count))
      expect(latencyStatisticsSchema.parse(found)).toEqual(found)
      return [found.p90 !== null, found.p95 !== null, found.p99 !== null, found.p999 !== null, Object.keys(found.ci).join(' ')]
    })
    expect(supported).toEqual([
      [false, false, false, false, ''],
      [false, false, false, false, 'p50'],
      [false, false, false, false, 'p50'],
      [true, false, false, false, 'p50 p90'],
      [true, false, false, false, 'p50 p90'],
      [true, true, false, false, 'p50 p90 p95'],
      [true, true, false, false, 'p50 p90 p95'],
      [true, true, true, false, 'p50 p90 p95 p99'],
      [true, true, true, false, 'p50 p90 p95 p99'],
      [true, true, true, true, 'p50 p90 p95 p99 p999'],
    ])
  })

  it('gives the p99.9 of NumPy and its interval from SciPy’s ranks', () => {
    const { values, p999, ci } = goldens.tail
    const found = latencyStatistics(Float32Array.from(values))
    expect([found.p999, found.ci.p999]).toEqual([p999, ci])
  })

  it('takes intervals from the samples themselves', () => {
    const found = latencyStatistics(ramp(1000).reverse())
    expect(found).toMatchObject({ mean: 500.5, min: 1, max: 1000, p50: 500.5, ci: { p50: [469, 532], p95: [936, 964], p99: [983, 997] } })
    expectClose(found.p95 ?? Number.NaN, 950.05, 1e-12)
  })

  it('says no spread for one sample and refuses none', () => {
    expect(latencyStatistics(Float32Array.of(2.5))).toEqual({
      mean: 2.5,
      std: 0,
      min: 2.5,
      max: 2.5,
      p50: 2.5,
      p90: null,
      p95: null,
      p99: null,
      p999: null,
      ci: {},
    })
    expect(() => latencyStatistics(new Float32Array())).toThrow(RangeError)
  })
})

describe('outlierShare', () => {
  it('equals SciPy’s scaled median absolute deviation', () => {
    for (const { values, share } of goldens.outliers) expect(outlierShare(Float32Array.from(values))).toBe(share)
    expect(() => outlierShare(new Float32Array())).toThrow(RangeError)
  })
})

describe('sharedHistogram', () => {
  it('counts every sample once, between its edges', () => {
    const set = fc.array(fc.float({ min: Math.fround(1e-3), max: 1e5, noNaN: true }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(fc.array(set, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 80 }), (sets, bins) => {
        const samples = sets.map((values) => Float32Array.from(values))
        const { edges, counts } = sharedHistogram(samples, bins)
        expect(edges).toHaveLength(bins + 1)
        edges.slice(1).forEach((edge, i) => {
          expect(edge).toBeGreaterThan(edges[i] as number)
        })
        samples.forEach((values, row) => {
          const recount = new Array<number>(bins).fill(0)
          for (const value of values) {
            const bin = Math.max(
              0,
              edges.findLastIndex((edge, i) => i < bins && value >= edge),
            )
            expect(value).toBeLessThanOrEqual((edges[bin + 1] as number) * (1 + 1e-12))
            recount[bin] = (recount[bin] as number) + 1
          }
          expect(counts[row]).toEqual(recount)
        })
      }),
    )
  })

  it('puts the rare slow ones into the last bin and keeps the others even', () => {
    const body = Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000)
    const { edges, counts } = sharedHistogram([Float32Array.of(...body, 500, 900)], 11)
    expect(edges.at(-1)).toBe(900)
    const widths = edges.slice(1).map((edge, i) => edge - (edges[i] as number))
    for (const width of widths.slice(0, -1)) expectClose(width, widths[0] as number, 1e-9)
    expect(counts[0]?.at(-1)).toBeLessThanOrEqual(12)
    expect(counts[0]?.reduce((sum, count) => sum + count, 0)).toBe(1002)
  })

  it('keeps the body readable when one in twenty is a hundred times slower', () => {
    const samples = Float32Array.from({ length: 1000 }, (_, i) => (i % 20 === 0 ? 100 : 1 + (i % 100) / 1000))
    const { edges, counts } = sharedHistogram([samples], 20)
    expect(edges.at(-2)).toBeLessThan(2)
    expect(counts[0]?.at(-1)).toBe(50)
    expect(counts[0]?.filter((count) => count > 0).length).toBeGreaterThan(3)
  })

  it('has room for equal values and refuses empty sets', () => {
    const { edges, counts } = sharedHistogram([Float32Array.of(2, 2, 2)], 4)
    expect(counts).toEqual([[3, 0, 0, 0]])
    expect(edges[0]).toBe(2)
    expect(() => sharedHistogram([], 4)).toThrow(RangeError)
    expect(() => sharedHistogram([new Float32Array()], 4)).toThrow(RangeError)
    expect(() => sharedHistogram([Float32Array.of(1)], 1)).toThrow(RangeError)
  })
})

describe('proportions', () => {
  it('equal SciPy', () => {
    for (const { successes, count, interval } of goldens.wilson) {
      const found = wilsonInterval(successes, count)
      expect(found[0]).toBeCloseTo(interval[0], 13)
      expect(found[1]).toBeCloseTo(interval[1], 13)
    }
    expect(wilsonInterval(0, 0)).toEqual([0, 1])
    for (const { b, c, p } of goldens.mcnemar) expectClose(exactMcNemar(b, c), p, 1e-10)
    expect(exactMcNemar(0, 0)).toBe(1)
  })

  it('compare two models sample by sample', () => {
    const labels = Int32Array.of(0, 1, 2, 3, 0, 1)
    const found = accuracyDifference(labels, Int32Array.of(0, 1, 2, 0, 1, 0), Int32Array.of(0, 0, 2, 3, 0, 2))
    // Both right: 0, 2; only the baseline: 1; only the build: 3, 4; both wrong and different: 5.
    expect(found).toEqual({ difference: 1 / 6, onlyBaseline: 1, onlyBuild: 2, pValue: 1, agreement: 2 / 6 })
    expect(() => accuracyDifference(labels, labels, new Int32Array(2))).toThrow(RangeError)
    expect(() => accuracyDifference(new Int32Array(), new Int32Array(), new Int32Array())).toThrow(RangeError)
  })
})

describe('seededRandom', () => {
  it('is xoshiro128** (values of the authors’ C code)', () => {
    const reference = xoshiro128([1, 2, 3, 4])
    expect(Array.from({ length: 6 }, () => reference.next())).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492])
    const seeded = seededRandom(42)
    expect(Array.from({ length: 4 }, () => seeded.next())).toEqual([660444221, 3652823732, 77672526, 910233633])
  })

  it('repeats by seed and draws evenly', () => {
    const [a, b, other] = [seededRandom(1), seededRandom(1), seededRandom(2)]
    expect(a.next()).toBe(b.next())
    expect(a.next()).not.toBe(other.next())
    const counts = new Array<number>(7).fill(0)
    for (let i = 0; i < 70_000; i++) {
      const draw = a.below(7)
      counts[draw] = (counts[draw] as number) + 1
    }
    // Five standard deviations (93) about 10,000.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(465)
    for (let i = 0; i < 1000; i++) {
      const value = a.uniform()
      expect(value >= 0 && value < 1).toBe(true)
    }
  })
})

describe('speedup', () => {
  /** `count` blocks of 50 samples around `typical`, each block shifted as a whole by `noise` (standard deviation of its logarithm). */
  function blocks(random: RandomSource, count: number, typical: number, noise: number): Float32Array[] {
    return Array.from({ length: count }, () => {
      const level = typical * Math.exp(noise * normal(random))
      return Float32Array.from({ length: 50 }, () => level * Math.exp(0.02 * normal(random)))
    })
  }

  it('is the ratio of medians where nothing varies', () => {
    const block = (value: number) => Array.from({ length: 10 }, () => Float32Array.of(value, value, value))
    expect(speedup(block(3), block(2), 1)).toEqual({ estimate: 1.5, ci95: [1.5, 1.5], verdict: 'faster', blocks: 10 })
    expect(speedup(block(2), block(3), 1).verdict).toBe('slower')
    expect(speedup(block(2), block(2), 1)).toEqual({ estimate: 1, ci95: [1, 1], verdict: 'no difference shown', blocks: 10 })
  })

  it('does not call a difference under 2 % one, however sure it is', () => {
    const random = seededRandom(5)
    const found = speedup(blocks(random, 40, 1.015, 0.001), blocks(random, 40, 1, 0.001), 1)
    expect(found.ci95[0]).toBeGreaterThan(1)
    expect(found.verdict).toBe('no difference shown')
  })

  it('repeats by seed and mirrors when the sides are swapped', () => {
    const random = seededRandom(3)
    const [a, b] = [blocks(random, 10, 1.2, 0.03), blocks(random, 10, 1, 0.03)]
    const found = speedup(a, b, 9)
    expect(speedup(a, b, 9)).toEqual(found)
    expect(speedupSchema.parse(found)).toEqual(found)
    const swapped = speedup(b, a, 9)
    expectClose(swapped.estimate, 1 / found.estimate, 1e-12)
    expectClose(swapped.ci95[0], 1 / found.ci95[1], 0.01)
    expectClose(swapped.ci95[1], 1 / found.ci95[0], 0.01)
  })

  it('holds 95 % for equal builds and finds a build that is 10 % slower', () => {
    for (const count of [3, 6, 10]) {
      const random = seededRandom(100 + count)
      let wrong = 0
      let found = 0
      for (let repetition = 0; repetition < 100; repetition++) {
        const baseline = blocks(random, count, 1, 0.02)
        if (speedup(baseline, blocks(random, count, 1, 0.02), repetition).verdict !== 'no difference shown') wrong++
        if (speedup(baseline, blocks(random, count, 1.1, 0.02), repetition).verdict === 'slower') found++
      }
      // 5 of 100 expected at most; 11 or more would happen by chance in 1.2 % of seeds, and the seed is fixed.
      expect(wrong).toBeLessThanOrEqual(10)
      // Three pairs are honest about how little they show.
      expect(found).toBeGreaterThanOrEqual(count === 3 ? 30 : 97)
    }
  })

  it('is not moved by a spoiled block in five', () => {
    const random = seededRandom(8)
    const [a, b] = [blocks(random, 10, 1.3, 0.01), blocks(random, 10, 1, 0.01)]
    const calm = speedup(a, b, 1)
    b[2] = (b[2] as Float32Array).map((value) => value * 5)
    expectClose(speedup(a, b, 1).estimate, calm.estimate, 0.02)
  })

  it('refuses blocks it cannot pair', () => {
    const block = Float32Array.of(1)
    expect(() => speedup([block], [block], 1)).toThrow(RangeError)
    expect(() => speedup([block, block], [block], 1)).toThrow(RangeError)
    expect(() => speedup([block, new Float32Array()], [block, block], 1)).toThrow(RangeError)
    expect(() => speedup([block, Float32Array.of(0)], [block, block], 1)).toThrow(RangeError)
  })
})
