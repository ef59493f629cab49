import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { summarizeRegression } from '../../../src/core/metrics/regression.ts'
import { residualBins } from '../../../src/core/metrics/residual-bins.ts'
import { metricGoldens } from './metric-goldens.ts'

/** Ends of bootstrap intervals from different random numbers agree within a few hundredths of the interval's width. */
function expectSimilar(found: readonly [number, number] | null, golden: readonly [number, number]): void {
  const width = golden[1] - golden[0]
  expect(Math.abs((found?.[0] ?? Number.NaN) - golden[0])).toBeLessThan(0.08 * width)
  expect(Math.abs((found?.[1] ?? Number.NaN) - golden[1])).toBeLessThan(0.08 * width)
}

describe('regression errors', () => {
  it('equal scikit-learn, and their intervals SciPy’s bootstrap', () => {
    for (const golden of metricGoldens.regression) {
      const found = summarizeRegression(Float32Array.from(golden.actual), Float32Array.from(golden.predicted), golden.width)
      for (const metric of ['r2', 'mae', 'rmse', 'maxError'] as const) expect(found[metric]).toBeCloseTo(golden[metric], 12)
      for (const metric of ['r2', 'mae', 'rmse'] as const) {
        found.perOutput.forEach((entry, output) => {
          expect(entry[metric]).toBeCloseTo(golden.perOutput[metric][output] as number, 12)
        })
      }
      expectSimilar(found.r2Ci95, golden.r2Ci95)
      expectSimilar(found.maeCi95, golden.maeCi95)
      expectSimilar(found.rmseCi95, golden.rmseCi95)
    }
  })

  it('give the same answer every time, and no R² where nothing varies', () => {
    const actual = Float32Array.of(0.1, 1, 0.1, 2, 0.1, 4)
    const predicted = Float32Array.of(0.2, 1, 0.2, 3, 0.2, 4)
    const found = summarizeRegression(actual, predicted, 2)
    expect(found).toEqual(summarizeRegression(actual, predicted, 2))
    expect(found.perOutput[0]?.r2).toBeNull()
    expect(found.r2).toBe(found.perOutput[1]?.r2)
    expect(found.bias).toBeCloseTo((0.3 + 1) / 6, 6)
    const constant = summarizeRegression(Float32Array.of(5, 5), Float32Array.of(5, 6), 1)
    expect(constant).toMatchObject({ r2: null, r2Ci95: null, mae: 0.5, maeCi95: [0, 1], maxError: 1 })
    expect(() => summarizeRegression(actual, predicted.subarray(1), 2)).toThrow(RangeError)
    expect(() => summarizeRegression(new Float32Array(), new Float32Array(), 1)).toThrow(RangeError)
  })

  it('leave resamples out in which nothing varies but the rounding of their sums', () => {
    // One sample of 40 differs: more than a third of all resamples do not hold it.
    const actual = Float32Array.from({ length: 40 }, (_, i) => (i === 7 ? 0.7 : 0.1))
    const predicted = actual.map((value, i) => value + (i % 2 === 0 ? 0.01 : -0.01))
    const { r2, r2Ci95 } = summarizeRegression(actual, predicted, 1)
    expect(r2).toBeCloseTo(1 - (40 * 0.01 ** 2) / (0.6 ** 2 * (39 / 40)), 4)
    expect(r2Ci95?.[0]).toBeGreaterThan(0.9)
    expect(r2Ci95?.[1]).toBeLessThan(1)
  })

  it('stay bounded for many samples and many outputs: an interval of 300,000 samples is that of their mean', () => {
    const samples = 300_000
    const actual = new Float32Array(samples)
    const predicted = Float32Array.from({ length: samples }, (_, i) => (i % 2 === 0 ? 0 : 2))
    const { mae, maeCi95 } = summarizeRegression(actual, predicted, 1)
    expect(mae).toBe(1)
    // The standard error of the mean of values 0 and 2 is 1 / √n.
    const half = 1.96 / Math.sqrt(samples)
    expect((maeCi95[1] - maeCi95[0]) / (2 * half)).toBeGreaterThan(0.9)
    expect((maeCi95[1] - maeCi95[0]) / (2 * half)).toBeLessThan(1.1)
    const wide = summarizeRegression(
      new Float32Array(3000).map((_, i) => i % 7),
      new Float32Array(3000),
      1000,
    )
    expect(wide.perOutput).toHaveLength(1000)
    expect(wide.r2).not.toBeNull()
    expect(wide.r2Ci95).toBeNull()
  })

  it('bins every residual once, between its edges', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 50 }), (pairs) => {
        const [actual, predicted] = [Float32Array.from(pairs, ([a]) => a), Float32Array.from(pairs, ([, p]) => p)]
        const { predictedEdges, residualEdges, counts } = residualBins(actual, predicted)
        const columns = predictedEdges.length - 1
        expect(counts).toHaveLength(columns * (residualEdges.length - 1))
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(pairs.length)
        for (const edges of [predictedEdges, residualEdges]) expect(edges.every((edge, i) => i === 0 || edge > edges[i - 1]!)).toBe(true)
        expect(predictedEdges[0]).toBeLessThanOrEqual(Math.min(...predicted))
        expect(predictedEdges.at(-1)).toBeGreaterThanOrEqual(Math.max(...predicted))
      }),
    )
    const { counts, residualEdges } = residualBins(Float32Array.of(0, 0, 0), Float32Array.of(0, 10, 10))
    expect(residualEdges[0]).toBe(0)
    expect([counts[0], counts.at(-1)]).toEqual([1, 2])
  })
})
