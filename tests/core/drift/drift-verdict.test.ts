import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FeatureMeasure, judgeFeatures, measureFeature, windowsInARow } from '../../../src/core/drift/drift-verdict.ts'
import { type DriftReference, decodeSample } from '../../../src/core/drift/feature-sketch.ts'
import { kolmogorovSmirnov } from '../../../src/core/drift/kolmogorov-smirnov.ts'
import { populationStability } from '../../../src/core/drift/population-stability.ts'
import { ReferenceSketcher } from '../../../src/core/drift/reference-sketcher.ts'
import { type RandomSource, seededRandom } from '../../../src/core/statistics/seeded-random.ts'

/** Standard normal numbers (Box-Muller). */
function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
}

const FEATURES = 52

/** A row of a table as they are: normal, skewed, categories, flags, counts, numbers with many zeros, one constant. */
function tableRow(random: RandomSource): number[] {
  return Array.from({ length: FEATURES }, (_, index) => {
    if (index === FEATURES - 1) return 1
    switch (index % 6) {
      case 0:
        return normal(random)
      case 1:
        return Math.exp(normal(random))
      case 2:
        return Math.floor(12 * random.uniform() ** 2)
      case 3:
        return random.uniform() < 0.03 ? 1 : 0
      case 4:
        return Math.floor(200 * random.uniform() ** 3)
      default:
        return random.uniform() < 0.6 ? 0 : random.uniform()
    }
  })
}

function referenceOf(rows: number, random: RandomSource, row: (random: RandomSource) => ArrayLike<number>): DriftReference {
  const names = Array.from(row(seededRandom(0)), (_, index) => ({
    name: `f${index}`,
    source: { kind: 'input', name: 'x', index } as const,
  }))
  const sketcher = new ReferenceSketcher(names, random)
  for (let count = 0; count < rows; count++) sketcher.add(row(random))
  return sketcher.finish()
}

/** Columns of a window. */
function windowOf(rows: number, random: RandomSource, row: (random: RandomSource) => ArrayLike<number>, features: number): Float32Array[] {
  const columns = Array.from({ length: features }, () => new Float32Array(rows))
  for (let at = 0; at < rows; at++) {
    const values = row(random)
    for (let index = 0; index < features; index++) (columns[index] as Float32Array)[at] = values[index] as number
  }
  return columns
}

function judge(reference: DriftReference, samples: readonly Float32Array[], columns: readonly Float32Array[]) {
  return judgeFeatures(
    reference.features.map((sketch, index) => measureFeature(sketch, samples[index] as Float32Array, columns[index] as Float32Array)),
  )
}

/** So many rows that windows drawn from them hardly repeat any; drawing is much cheaper than making rows anew. */
const population = (random: RandomSource, row = tableRow) => Array.from({ length: 20_000 }, () => Float32Array.from(row(random)))
const drawFrom = (rows: readonly Float32Array[]) => (random: RandomSource) => rows[random.below(rows.length)] as Float32Array

describe('52 features over 200 windows of 1,000 without drift', () => {
  it.each([10_000, 1000])('raise a false alarm in fewer than one window in twenty, with a reference of %i rows', (rows) => {
    const random = seededRandom(20_260)
    const draw = drawFrom(population(random))
    const reference = referenceOf(rows, random, draw)
    expect(new Set(reference.features.map(({ kind }) => kind))).toEqual(new Set(['numeric', 'categorical']))
    const samples = reference.features.map(({ sample }) => decodeSample(sample))
    let alarms = 0
    for (let count = 0; count < 200; count++) {
      const verdicts = judge(reference, samples, windowOf(1000, random, draw, FEATURES))
      if (verdicts.some(({ level }) => level !== 'none')) alarms++
    }
    expect(alarms / 200).toBeLessThan(0.05)
  })
})

describe('a shift of half a standard deviation', () => {
  it.each([1000, 500])('is found in two windows of %i rows, every time, in that feature only', (rows) => {
    const random = seededRandom(4711)
    const rowsBefore = population(random)
    const reference = referenceOf(10_000, random, drawFrom(rowsBefore))
    const samples = reference.features.map(({ sample }) => decodeSample(sample))
    // Feature 6 is standard normal.
    const shifted = drawFrom(rowsBefore.map((row) => row.map((value, index) => (index === 6 ? value + 0.5 : value))))
    for (let trial = 0; trial < 20; trial++) {
      let streaks: readonly number[] = []
      for (const _ of [1, 2]) streaks = windowsInARow(streaks, judge(reference, samples, windowOf(rows, random, shifted, FEATURES)))
      expect(streaks[6]).toBe(2)
      expect(streaks.filter((streak) => streak === 2)).toHaveLength(1)
    }
  })
})

describe('one feature', () => {
  const measure = (rows: (random: RandomSource) => number, now: (random: RandomSource) => number) => {
    const random = seededRandom(77)
    const reference = referenceOf(5000, random, (source) => [rows(source)])
    const samples = reference.features.map(({ sample }) => decodeSample(sample))
    return judge(
      reference,
      samples,
      windowOf(1000, random, (source) => [now(source)], 1),
    )[0]
  }

  it.each<[string, (random: RandomSource) => number, (random: RandomSource) => number, string]>([
    ['a constant that stays', () => 2, () => 2, 'none'],
    ['a constant that changes', () => 2, () => 3, 'severe'],
    ['a wider spread', normal, (random) => 2 * normal(random), 'severe'],
    ['a flag that turns', (random) => Number(random.uniform() < 0.5), (random) => Number(random.uniform() < 0.8), 'severe'],
    ['a flag that moves a little', (random) => Number(random.uniform() < 0.5), (random) => Number(random.uniform() < 0.53), 'none'],
    ['a class that is new', (random) => random.below(4), (random) => random.below(6), 'severe'],
    ['values that went missing', normal, (random) => (random.uniform() < 0.2 ? Number.NaN : normal(random)), 'severe'],
    ['nothing but missing values', normal, () => Number.NaN, 'severe'],
    [
      'categories that change order of size',
      (random) => Math.floor(3 * random.uniform() ** 2),
      (random) => 2 - Math.floor(3 * random.uniform() ** 2),
      'severe',
    ],
  ])('%s', (_, before, now, level) => {
    expect(measure(before, now)?.level).toBe(level)
  })

  it('of categories is measured by the greatest change of a share, not by their order', () => {
    const verdict = measure(
      (random) => random.below(2) * 5,
      (random) => (random.uniform() < 0.7 ? 0 : 5),
    )
    expect(verdict?.distance).toBeCloseTo(0.2, 1)
    expect(verdict?.pValue).toBeLessThan(1e-6)
  })
})

describe('the rule', () => {
  const base: FeatureMeasure = { psi: 0, psiLimit: 0.1, distance: 0, pValue: 1 }
  const level = (measure: Partial<FeatureMeasure>, others = 0) =>
    judgeFeatures([{ ...base, ...measure }, ...new Array<FeatureMeasure>(others).fill(base)])[0]?.level

  it('is the one of the documentation, at every border', () => {
    expect(level({ psi: 0.1 })).toBe('none')
    expect(level({ psi: 0.1001 })).toBe('drifted')
    expect(level({ psi: 0.12, psiLimit: 0.13 })).toBe('none')
    expect(level({ psi: 0.25 })).toBe('severe')
    expect(level({ psi: 0.3, psiLimit: 0.31 })).toBe('none')
    expect(level({ pValue: 0.049, distance: 0.1 })).toBe('drifted')
    expect(level({ pValue: 0.05, distance: 0.1 })).toBe('none')
    expect(level({ pValue: 0.001, distance: 0.0999 })).toBe('none')
    // 52 tests: a p-value counts 52 times.
    expect(level({ pValue: 0.00097, distance: 0.2 }, 51)).toBe('none')
    expect(level({ pValue: 0.00096, distance: 0.2 }, 51)).toBe('drifted')
  })

  it('counts windows in a row for each feature by itself', () => {
    const verdicts = (...levels: ('none' | 'drifted' | 'severe')[]) => levels.map((one) => ({ ...base, adjustedPValue: 1, level: one }))
    const first = windowsInARow([], verdicts('drifted', 'none', 'severe'))
    expect(first).toEqual([1, 0, 1])
    expect(windowsInARow(first, verdicts('drifted', 'severe', 'none'))).toEqual([2, 1, 0])
  })

  it('takes the limit of PSI from chance where samples are small', () => {
    expect(populationStability(new Array(10).fill(50), new Array(10).fill(10)).chance).toBeCloseTo(16.919 * (1 / 500 + 1 / 100), 3)
    expect(() => populationStability([1, 2], [1])).toThrow(RangeError)
    expect(() => populationStability([1, 2], [0, 0])).toThrow(RangeError)
  })
})

describe('always', () => {
  const counts = fc
    .array(fc.tuple(fc.nat(500), fc.nat(500)), { minLength: 1, maxLength: 22 })
    .filter((bins) => bins.some(([before]) => before > 0) && bins.some(([, now]) => now > 0))
  it('stability is finite, not negative, the same in both directions and for bins in any order', () => {
    fc.assert(
      fc.property(counts, (bins) => {
        const before = bins.map(([count]) => count)
        const now = bins.map(([, count]) => count)
        const found = populationStability(before, now)
        expect(found.psi).toBeGreaterThanOrEqual(0)
        expect(Number.isFinite(found.psi)).toBe(true)
        expect(found.distance).toBeLessThanOrEqual(1 + 1e-12)
        expect(found.pValue).toBeGreaterThanOrEqual(0)
        expect(found.pValue).toBeLessThanOrEqual(1)
        const back = populationStability(now, before)
        expect(back.psi).toBeCloseTo(found.psi, 9)
        expect(back.pValue).toBeCloseTo(found.pValue, 9)
        expect(populationStability(before.toReversed(), now.toReversed()).psi).toBeCloseTo(found.psi, 9)
        expect(populationStability(before, before).psi).toBe(0)
      }),
    )
  })

  it("Kolmogorov-Smirnov's distance is that of the definition, and p-values are probabilities", () => {
    const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 30 }).map((list) => list.sort((a, b) => a - b))
    fc.assert(
      fc.property(values, values, (first, second) => {
        const share = (list: number[], value: number) => list.filter((one) => one <= value).length / list.length
        const distance = Math.max(...[...first, ...second].map((value) => Math.abs(share(first, value) - share(second, value))))
        const found = kolmogorovSmirnov(first, second)
        expect(found.statistic).toBeCloseTo(distance, 12)
        expect(found.pValue).toBeGreaterThanOrEqual(0)
        expect(found.pValue).toBeLessThanOrEqual(1)
        if (distance === 0) expect(found.pValue).toBe(1)
      }),
    )
    expect(() => kolmogorovSmirnov([], [1])).toThrow(RangeError)
  })

  it('the counted paths agree with counting every path', () => {
    // All orders of n + m values are equally likely: the exact p-value is the share of them that are as far apart.
    const orders = (n: number, m: number): boolean[][] => {
      if (n === 0) return [new Array<boolean>(m).fill(false)]
      if (m === 0) return [new Array<boolean>(n).fill(true)]
      return [...orders(n - 1, m).map((rest) => [true, ...rest]), ...orders(n, m - 1).map((rest) => [false, ...rest])]
    }
    for (const [n, m] of [
      [3, 3],
      [2, 5],
      [6, 4],
      [5, 3],
      [4, 4],
    ] as const) {
      const found = orders(n, m).map((order) => {
        const places = (mine: boolean) => order.flatMap((isFirst, place) => (isFirst === mine ? [place] : []))
        return kolmogorovSmirnov(places(true), places(false))
      })
      for (const { statistic, pValue } of found) {
        expect(pValue).toBeCloseTo(found.filter((other) => other.statistic >= statistic - 1e-12).length / found.length, 12)
      }
    }
  })
})
