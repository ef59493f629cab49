import { describe, expect, it } from 'vitest'
import { exactMcNemar } from '../../../src/core/statistics/mcnemar.ts'
import { type EvaluatedModel, metricDifference } from '../../../src/core/statistics/metric-difference.ts'
import { pairedDifferenceInterval } from '../../../src/core/statistics/paired-proportions.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { metricGoldens } from '../metrics/metric-goldens.ts'

describe('the interval of a difference of paired shares', () => {
  it('is the published one', () => {
    // Fagerland, Lydersen & Laake, Statistics in Medicine 33, 2014, table VII: airway hyper-responsiveness, −0.286 (−0.507 to −0.026).
    const airways = pairedDifferenceInterval({ both: 1, onlyFirst: 7, onlySecond: 1, neither: 12 })
    expect(airways.map((end) => Number(end.toFixed(3)))).toEqual([-0.507, -0.026])
    // Newcombe, Statistics in Medicine 17, 1998, table III, method 10, second minus first: 20, 12, 2, 16 gives −0.329 to −0.056.
    const newcombe = pairedDifferenceInterval({ both: 20, onlyFirst: 12, onlySecond: 2, neither: 16 })
    expect(newcombe.map((end) => Number(end.toFixed(3)))).toEqual([-0.329, -0.056])
  })

  it('turns round with its arguments, and is never wider than −1 to 1', () => {
    const random = seededRandom(11)
    for (let i = 0; i < 500; i++) {
      const [both, onlyFirst, onlySecond, neither] = Array.from({ length: 4 }, () => random.below(30)) as [number, number, number, number]
      if (both + onlyFirst + onlySecond + neither === 0) continue
      const [low, high] = pairedDifferenceInterval({ both, onlyFirst, onlySecond, neither })
      const [otherLow, otherHigh] = pairedDifferenceInterval({ both, onlyFirst: onlySecond, onlySecond: onlyFirst, neither })
      expect(low).toBeCloseTo(-otherHigh, 12)
      expect(high).toBeCloseTo(-otherLow, 12)
      const difference = (onlySecond - onlyFirst) / (both + onlyFirst + onlySecond + neither)
      expect(-1 <= low && low <= difference && difference <= high && high <= 1).toBe(true)
    }
    expect(() => pairedDifferenceInterval({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 })).toThrow(RangeError)
  })

  it('holds its level: of 2,000 made-up comparisons it misses the truth in 5 %, give or take', () => {
    const random = seededRandom(5)
    let missed = 0
    for (let run = 0; run < 2000; run++) {
      const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 }
      for (let i = 0; i < 200; i++) {
        const draw = random.uniform()
        counts[draw < 0.8 ? 'both' : draw < 0.87 ? 'onlyFirst' : draw < 0.91 ? 'onlySecond' : 'neither']++
      }
      const [low, high] = pairedDifferenceInterval(counts)
      if (low > -0.03 || high < -0.03) missed++
    }
    expect(missed / 2000).toBeGreaterThan(0.03)
    expect(missed / 2000).toBeLessThan(0.065)
  })
})

const classified = (labels: number[], predictions: number[]): EvaluatedModel => ({
  task: 'classification',
  samples: labels.length,
  metrics: {},
  perSample: { labels: Int32Array.from(labels), predictions: Int32Array.from(predictions) },
})
const regressed = (actual: ArrayLike<number>, predicted: ArrayLike<number>, width = 1): EvaluatedModel => ({
  task: 'regression',
  samples: actual.length / width,
  metrics: {},
  perSample: { actual: Float32Array.from(actual), predicted: Float32Array.from(predicted) },
})

describe('the difference of a metric', () => {
  it('is tested with McNemar for accuracy', () => {
    const labels = Array.from({ length: 60 }, (_, i) => i % 3)
    const wrongAt = (places: readonly number[]) => labels.map((label, i) => (places.includes(i) ? (label + 1) % 3 : label))
    // Only the baseline is right at 8 places, only the build at 1.
    const found = metricDifference(classified(labels, wrongAt([9])), classified(labels, wrongAt([0, 1, 2, 3, 4, 5, 6, 7])))
    expect(found).toEqual({
      metric: 'accuracy',
      difference: -7 / 60,
      ci95: pairedDifferenceInterval({ both: 51, onlyFirst: 8, onlySecond: 1, neither: 0 }),
      pValue: exactMcNemar(8, 1),
      test: 'mcnemar',
    })
    expect(found?.pValue).toBeCloseTo(0.0390625, 12)
  })

  it('counts an unanswered sample as wrong', () => {
    expect(metricDifference(classified([0, 1], [0, 1]), classified([0, 1], [-1, 1]))?.difference).toBe(-0.5)
  })

  it('has the bootstrap intervals of SciPy for errors', () => {
    for (const golden of metricGoldens.regression) {
      const [before, after] = [golden.predicted, golden.worse].map((values) => regressed(golden.actual, values, golden.width))
      for (const error of ['rmse', 'mae'] as const) {
        const found = metricDifference(before as EvaluatedModel, after as EvaluatedModel, error)
        const expected = golden.difference[`${error}Ci95`]
        expect(found).toMatchObject({ metric: error, test: 'paired bootstrap' })
        expect(found?.difference).toBeCloseTo(golden.difference[error], 12)
        const width = expected[1] - expected[0]
        expect(Math.abs((found?.ci95?.[0] ?? Number.NaN) - expected[0])).toBeLessThan(0.08 * width)
        expect(Math.abs((found?.ci95?.[1] ?? Number.NaN) - expected[1])).toBeLessThan(0.08 * width)
        expect((found?.pValue ?? 1) < 0.05).toBe(expected[0] > 0 || expected[1] < 0)
      }
    }
  })

  it('of a model to itself is nothing, with no doubt', () => {
    const actual = Array.from({ length: 50 }, (_, i) => i)
    const model = regressed(
      actual,
      actual.map((value) => value + (value % 5)),
    )
    expect(metricDifference(model, model)).toEqual({ metric: 'rmse', difference: 0, ci95: [0, 0], pValue: 1, test: 'paired bootstrap' })
  })

  it('of parity has no test, and there is none across tasks', () => {
    const parity = (sqnrDb: number | null): EvaluatedModel => ({ task: 'parity', samples: 3, metrics: { sqnrDb }, perSample: {} })
    expect(metricDifference(parity(40), parity(30))).toEqual({ metric: 'sqnrDb', difference: -10, ci95: null, pValue: null, test: 'none' })
    expect(metricDifference(parity(null), parity(30))).toBeNull()
    expect(metricDifference(parity(40), classified([0], [0]))).toBeNull()
  })

  it('refuses what is not of the same samples', () => {
    expect(() => metricDifference(classified([0, 1], [0, 1]), classified([0], [0]))).toThrow(RangeError)
    expect(() => metricDifference(classified([0, 1], [0, 1]), classified([1, 1], [0, 1]))).toThrow(/labels differ/)
    expect(() => metricDifference(regressed([1, 2], [1, 2]), regressed([1, 3], [1, 2]))).toThrow(/actual differ/)
    expect(() => metricDifference(classified([0], [0]), { ...classified([0], [0]), perSample: {} })).toThrow(RangeError)
  })
})
