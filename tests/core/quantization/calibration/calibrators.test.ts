import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { affineParameters, type QuantizedType, type ValueRange } from '../../../../src/core/quantization/affine-parameters.ts'
import { ClippingDivergence } from '../../../../src/core/quantization/calibration/clipping-divergence.ts'
import { entropyRange } from '../../../../src/core/quantization/calibration/entropy-range.ts'
import { mseRange } from '../../../../src/core/quantization/calibration/mse-range.ts'
import { percentileRange } from '../../../../src/core/quantization/calibration/percentile-range.ts'
import { type Calibrator, type RangeChoice, TensorStatistics } from '../../../../src/core/quantization/calibration/tensor-statistics.ts'
import { dequantize, quantize, valueRange } from '../../../../src/core/quantization/quantize-tensor.ts'
import { seededRandom } from '../../../../src/core/statistics/seeded-random.ts'

const ASYMMETRIC: RangeChoice = { type: 'uint8', symmetric: false, percentile: 99.9 }
const SYMMETRIC: RangeChoice = { type: 'int8', symmetric: true, percentile: 99.9 }

function statisticsOf(...feeds: readonly Float32Array[]): TensorStatistics {
  const statistics = new TensorStatistics(8192)
  for (const [index, feed] of feeds.entries()) {
    const range = valueRange(feed)
    if (range) statistics.add(range, feeds.length - 1 - index, feed, true)
  }
  return statistics
}

function chosen(values: Float32Array, calibrator: Calibrator, how: RangeChoice): ValueRange {
  return statisticsOf(values).chosen(calibrator, how)!
}

/** Standard normal values (Box-Muller), the same every time. */
function normal(count: number): Float32Array {
  const random = seededRandom(4)
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()),
  )
}

/** Mean squared difference between values and their 8-bit versions, computed from the values. */
function squaredError(values: Float32Array, range: ValueRange, type: QuantizedType, symmetric: boolean): number {
  const parameters = affineParameters(range, type, { symmetric })
  const restored = dequantize(quantize(values, parameters, type), parameters)
  return values.reduce((sum, value, index) => sum + (value - restored[index]!) ** 2, 0) / values.length
}

function outlier(values: Float32Array, ...far: number[]): Float32Array {
  const all = new Float32Array(values.length + far.length)
  all.set(values)
  all.set(far, values.length)
  return all
}

describe('percentile', () => {
  const even = Float32Array.from({ length: 100_000 }, (_, index) => (10 * (index + 0.5)) / 100_000)

  it('cuts both ends of an even distribution where it says, or its magnitudes', () => {
    const { min, max } = chosen(even, 'percentile', { ...ASYMMETRIC, percentile: 98 })
    expect([min, max]).toEqual([expect.closeTo(0.1, 3), expect.closeTo(9.9, 3)])
    const both = Float32Array.from(even, (value) => value - 5)
    const symmetric = chosen(both, 'percentile', { ...SYMMETRIC, percentile: 98 })
    expect([symmetric.min, symmetric.max]).toEqual([expect.closeTo(-4.9, 3), expect.closeTo(4.9, 3)])
  })

  it('leaves everything in at 100', () => {
    expect(chosen(even, 'percentile', { ...ASYMMETRIC, percentile: 100 })).toEqual(valueRange(even))
  })

  it('does not reach beyond what was seen on the other side', () => {
    const lopsided = Float32Array.from(even, (value) => value - 1)
    const { min, max } = chosen(lopsided, 'percentile', { ...SYMMETRIC, percentile: 99 })
    expect([min, max]).toEqual([lopsided[0], expect.closeTo(8.9, 3)])
  })

  it('grows with its setting', () => {
    const values = normal(5000)
    fc.assert(
      fc.property(fc.double({ min: 50.1, max: 100 }), fc.double({ min: 0, max: 20 }), fc.boolean(), (percentile, more, symmetric) => {
        const [narrow, wide] = [percentile, Math.min(100, percentile + more)].map((setting) =>
          chosen(values, 'percentile', { ...ASYMMETRIC, symmetric, percentile: setting }),
        )
        expect(wide!.min).toBeLessThanOrEqual(narrow!.min)
        expect(wide!.max).toBeGreaterThanOrEqual(narrow!.max)
      }),
      { numRuns: 30 },
    )
  })
})

describe('entropy', () => {
  it('goes by the divergences of its worked example', () => {
    const counts = [4, 4, 2, 2, 0, 0, 0, 1]
    expect([4, 8].map((end) => divergence(counts, end, 2))).toEqual([expect.closeTo(0.0135, 4), expect.closeTo(0.0523, 4)])
  })

  const bell = Float64Array.from({ length: 700 }, (_, index) => {
    const tail = index % 97 === 96 ? 1 : 0
    return Math.round(4000 * Math.exp(-(((index - 200) / 90) ** 2))) + tail
  })

  it('computes the divergence by its definition, for any range', () => {
    const fast = new ClippingDivergence({ width: 1, first: -200, counts: bell }, 128)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 199 }), fc.integer({ min: 328, max: 700 }), (from, end) => {
        const clipped = [...bell.slice(from)]
        const below = bell.slice(0, from).reduce((sum, count) => sum + count, 0)
        expect(fast.of(from, end)).toBeCloseTo(divergence(clipped, end - from, 128, below), 9)
      }),
      { numRuns: 40 },
    )
  })

  it('comes close to the best of all ranges', () => {
    const counts = bell.slice(200)
    const { max } = entropyRange({ width: 1, first: 0, counts }, { min: 0, max: 500 }, true)
    const divergences = Array.from({ length: 500 - 128 + 1 }, (_, index) => divergence([...counts], index + 128, 128))
    expect(divergences[max - 128]).toBeLessThan(Math.min(...divergences) * 1.15)
    expect(divergences[max - 128]).toBeLessThan(divergences.at(-1)! / 2)
  })

  it('clips outliers on either side, and both', () => {
    const values = normal(200_000)
    const symmetric = chosen(outlier(values, 40), 'entropy', SYMMETRIC)
    expect(symmetric.max).toBeLessThan(10)
    expect(symmetric.max).toBeGreaterThan(2.5)
    const asymmetric = chosen(outlier(values, -30, 60), 'entropy', ASYMMETRIC)
    expect(Math.max(-asymmetric.min, asymmetric.max)).toBeLessThan(12)
    expect(Math.min(-asymmetric.min, asymmetric.max)).toBeGreaterThan(2.5)
  })

  it('keeps the lower end of a ReLU output at zero, however many zeros there are', () => {
    const relu = outlier(normal(200_000), 50).map((value) => Math.max(0, value))
    const { min, max } = chosen(relu, 'entropy', ASYMMETRIC)
    expect(min).toBe(0)
    expect(max).toBeLessThan(10)
    expect(max).toBeGreaterThan(2.5)
    const negated = relu.map((value) => -value)
    const negative = chosen(negated, 'entropy', { ...ASYMMETRIC, type: 'int8' })
    expect(Math.abs(negative.max)).toBe(0)
    expect(negative.min).toBeGreaterThan(-10)
    expect(negative.min).toBeLessThan(-2.5)
  })

  it('clips nothing of a few values', () => {
    const few = Float32Array.of(-3, 0.1, 0.2, 0.7, 1, 9)
    for (const how of [SYMMETRIC, ASYMMETRIC])
      expect(affineParameters(chosen(few, 'entropy', how), how.type, how).scale).toBe(
        affineParameters({ min: -3, max: 9 }, how.type, how).scale,
      )
  })
})

describe('mse', () => {
  it('finds the optimum of the worked example', () => {
    const even = Float32Array.from({ length: 1_000_000 }, (_, index) => (index + 0.5) / 1_000_000)
    const { min, max } = chosen(outlier(even, 100), 'mse', ASYMMETRIC)
    expect(Math.max(0, min)).toBeLessThan(1e-3)
    // The optimum is flat: 2 % off cost 0.04 %.
    expect(max).toBeGreaterThan(43)
    expect(max).toBeLessThan(45)
  })

  it.each([
    ['uint8', false],
    ['int8', false],
    ['int8', true],
    ['uint8', true],
  ] as const)('is as good as the best of many ranges for %s, symmetric %s', (type, symmetric) => {
    const values = normal(10_000).map((value) => value ** 3 + 0.3)
    const found = squaredError(values, chosen(values, 'mse', { type, symmetric, percentile: 99.9 }), type, symmetric)
    const seen = valueRange(values)!
    const tried: number[] = []
    for (let low = 1; low <= 16; low++)
      for (let high = 1; high <= 16; high++)
        tried.push(squaredError(values, { min: (seen.min * low) / 16, max: (seen.max * high) / 16 }, type, symmetric))
    // Of a distribution as peaked as this one rounding errors are not quite spread evenly over a step.
    expect(found).toBeLessThan(Math.min(...tried) * 1.06)
    expect(found).toBeLessThan(squaredError(values, seen, type, symmetric) * 0.98)
  })

  it('clips a far outlier among many values and none among few', () => {
    expect(chosen(outlier(normal(300_000).map(Math.abs), 200), 'mse', ASYMMETRIC).max).toBeLessThan(150)
    expect(chosen(Float32Array.of(0.5, 1, 200), 'mse', ASYMMETRIC).max).toBeGreaterThan(190)
  })

  it('does not clip ReLU outputs further because of their zeros', () => {
    const positive = normal(100_000).map((value) => Math.abs(value) ** 2 + 0.05)
    const dense = chosen(positive, 'mse', ASYMMETRIC).max
    const sparse = new Float32Array(1_000_000)
    sparse.set(positive)
    expect(chosen(sparse, 'mse', ASYMMETRIC).max / dense).toBeCloseTo(1, 1)
  })
})

describe('moving average', () => {
  it('weighs later feeds more, by 1 %, and the first no more than others', () => {
    const twice = statisticsOf(Float32Array.of(-1, 4), Float32Array.of(-1, 2))
    expect(twice.chosen('moving-average', ASYMMETRIC)).toEqual({ min: -1, max: expect.closeTo((0.99 * 4 + 2) / 1.99, 10) })
  })

  it('is ONNX Runtime’s recurrence with the first feed’s weight divided out', () => {
    const maxima = [...normal(400)].map((value) => Math.abs(value) + 1)
    const found = statisticsOf(...maxima.map((max) => Float32Array.of(0, max))).chosen('moving-average', ASYMMETRIC)!
    let average = 0
    for (const max of maxima) average += 0.01 * (Math.fround(max) - average)
    expect(found.max).toBeCloseTo(average / (1 - 0.99 ** 400), 8)
  })
})

describe('every calibrator', () => {
  const calibrators: readonly Calibrator[] = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse']
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 })

  it('stays within what was seen', () => {
    fc.assert(
      fc.property(
        fc.array(values, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...calibrators),
        fc.constantFrom(ASYMMETRIC, SYMMETRIC, { ...SYMMETRIC, type: 'uint8' as const }),
        (feeds, calibrator, how) => {
          const statistics = statisticsOf(...feeds.map((feed) => Float32Array.from(feed)))
          const { min, max } = statistics.chosen(calibrator, how)!
          const seen = statistics.seen()!
          expect(min).toBeGreaterThanOrEqual(seen.min)
          expect(max).toBeLessThanOrEqual(seen.max)
          expect(min).toBeLessThanOrEqual(max)
        },
      ),
      { numRuns: 400 },
    )
  })

  it.each(calibrators)('%s gives equal values their value, no numbers nothing, infinite values an infinite range', (calibrator) => {
    for (const value of [0, 5, -5, 1e-40, 3e38]) {
      const { min, max } = chosen(new Float32Array(9).fill(value), calibrator, ASYMMETRIC)
      expect([min, max]).toEqual([Math.fround(value), Math.fround(value)])
    }
    expect(statisticsOf(Float32Array.of(Number.NaN)).chosen(calibrator, ASYMMETRIC)).toBeUndefined()
    const infinite = statisticsOf(Float32Array.of(1, 2), Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN), Float32Array.of(3))
    expect(infinite.chosen(calibrator, ASYMMETRIC)).toEqual({ min: 1, max: Number.POSITIVE_INFINITY })
  })

  it('says that it needs a histogram', () => {
    const statistics = new TensorStatistics()
    statistics.add({ min: 0, max: 1 }, 0)
    expect(statistics.chosen('minmax', ASYMMETRIC)).toEqual({ min: 0, max: 1 })
    expect(() => statistics.chosen('mse', ASYMMETRIC)).toThrow(/needs histograms/)
  })

  it('takes a histogram far from zero', () => {
    const far = Float32Array.from(normal(20_000), (value) => 1e6 + value)
    const seen = valueRange(far)!
    for (const calibrator of calibrators) {
      const { min, max } = chosen(far, calibrator, ASYMMETRIC)
      expect(min).toBeGreaterThanOrEqual(seen.min)
      expect(max).toBeLessThanOrEqual(seen.max)
      expect(max).toBeGreaterThan(0.9e6)
    }
  })

  it('searches the lower half of values as it does the upper', () => {
    const skewed = normal(50_000).map((value) => Math.exp(value))
    const negated = skewed.map((value) => -value)
    for (const search of [
      (counts: Float32Array) => chosen(counts, 'mse', { ...ASYMMETRIC, type: 'int8' }),
      (counts: Float32Array) => chosen(counts, 'entropy', ASYMMETRIC),
      (counts: Float32Array) => chosen(counts, 'percentile', ASYMMETRIC),
    ]) {
      const { max } = search(skewed)
      // Values on the edge of a bin change sides.
      expect(-search(negated).min / max).toBeCloseTo(1, 1)
    }
  })
})

describe('ranges from bins alone', () => {
  it('spread values of a bin evenly', () => {
    const bins = { width: 1, first: 0, counts: Float64Array.of(50, 50) }
    expect(percentileRange(bins, { min: 0, max: 2 }, 50, false)).toEqual({ min: 0.5, max: 1.5 })
    // 255 steps of 2/255 hold every value: nothing is gained by clipping.
    expect(mseRange(bins, { min: 0, max: 2 }, 'uint8', false).max).toBeGreaterThan(1.95)
  })
})

/** KL divergence of the first `end` bins as TensorRT's published procedure does it, step by step. */
function divergence(counts: readonly number[], end: number, levels: number, below = 0): number {
  const p = counts.slice(0, end)
  p[0]! += below
  p[end - 1]! += counts.slice(end).reduce((sum, count) => sum + count, 0)
  const q = new Array<number>(end).fill(0)
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.round((level * end) / levels), Math.round(((level + 1) * end) / levels)]
    const total = counts.slice(from, to).reduce((sum, count) => sum + count, 0)
    const filled = p.slice(from, to).filter((count) => count > 0).length
    for (let bin = from; bin < to; bin++) if (p[bin]! > 0) q[bin] = total > 0 ? total / filled : 1e-4
  }
  const [allP, allQ] = [p, q].map((parts) => parts.reduce((sum, part) => sum + part, 0))
  return p.reduce((sum, part, bin) => (part > 0 ? sum + (part / allP!) * Math.log(part / allP! / (q[bin]! / allQ!)) : sum), 0)
}
