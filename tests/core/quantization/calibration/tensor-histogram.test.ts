import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aroundZero, magnitudes, mirrored } from '../../../../src/core/quantization/calibration/histogram-bins.ts'
import { type HistogramBins, TensorHistogram } from '../../../../src/core/quantization/calibration/tensor-histogram.ts'
import { valueRange } from '../../../../src/core/quantization/quantize-tensor.ts'

function histogramOf(feeds: readonly Float32Array[], bins: number, mayHoldNaN = false): HistogramBins | undefined {
  const histogram = new TensorHistogram(bins)
  for (const feed of feeds) {
    const range = valueRange(feed)
    if (range) histogram.add(feed, range, mayHoldNaN)
  }
  return histogram.seen()
}

/** Counts of a histogram with the same width made from all values at once. */
function bruteForce(values: readonly number[], width: number): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(Math.floor(value / width), (counts.get(Math.floor(value / width)) ?? 0) + 1)
  return counts
}

function filled({ first, counts }: HistogramBins): Map<number, number> {
  return new Map([...counts].flatMap((held, index) => (held > 0 ? [[first + index, held] as const] : [])))
}

const sorted = (counts: Map<number, number>) => [...counts].sort(([a], [b]) => a - b)

/** Feeds whose sizes differ by many powers of ten, so that bins are merged. */
const feeds = fc.array(
  fc
    .tuple(fc.integer({ min: -30, max: 30 }), fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }))
    .map(([exponent, values]) => Float32Array.from(values, (value) => value * 2 ** exponent)),
  { minLength: 1, maxLength: 12 },
)

describe('TensorHistogram', () => {
  it('merges bins in twos when a value does not fit', () => {
    const histogram = new TensorHistogram(4)
    histogram.add(Float32Array.of(0.5, 0.75), { min: 0.5, max: 0.75 })
    expect(histogram.seen()).toEqual({ width: 1 / 8, first: 4, counts: Float64Array.of(1, 0, 1) })
    histogram.add(Float32Array.of(3), { min: 3, max: 3 })
    expect(histogram.seen()).toEqual({ width: 1, first: 0, counts: Float64Array.of(2, 0, 0, 1) })
  })

  it('counts like a histogram made with the final width from the start', () => {
    fc.assert(
      fc.property(feeds, fc.constantFrom(2, 16, 256), (streamed, bins) => {
        const found = histogramOf(streamed, bins)!
        const all = streamed.flatMap((feed) => [...feed])
        expect(sorted(filled(found))).toEqual(sorted(bruteForce(all, found.width)))
        expect(found.counts.length).toBeLessThanOrEqual(bins)
      }),
    )
  })

  it('does not depend on the order of the feeds', () => {
    fc.assert(
      fc.property(feeds, (streamed) => {
        expect(histogramOf([...streamed].reverse(), 64)).toEqual(histogramOf(streamed, 64))
      }),
    )
  })

  it('lays at least half of its bins over the range', () => {
    fc.assert(
      fc.property(feeds, (streamed) => {
        const { min, max } = valueRange(Float32Array.from(streamed.flatMap((feed) => [...feed])))!
        const { width, counts } = histogramOf(streamed, 1024)!
        // float32 cannot tell values apart that are closer than the width's floor.
        if (max - min > Math.max(-min, max) / 1024) expect(counts.length).toBeGreaterThanOrEqual(512)
        expect(width * 1024).toBeGreaterThanOrEqual(max - min)
      }),
    )
  })

  it('holds the largest, the smallest and equal values of float32', () => {
    const largest = 3.4028234663852886e38
    const extremes = histogramOf([Float32Array.of(0, 0), Float32Array.of(2 ** -149), Float32Array.of(-largest, largest)], 64)!
    expect([...filled(extremes).values()].reduce((sum, held) => sum + held)).toBe(5)
    expect(histogramOf([Float32Array.of(7, 7, 7)], 64)!.counts).toEqual(Float64Array.of(3))
  })

  it('leaves NaN out where it is told of it, and knows nothing before the first number', () => {
    expect([...filled(histogramOf([Float32Array.of(Number.NaN, 1, Number.NaN, 2)], 16, true)!).values()]).toEqual([1, 1])
    expect(histogramOf([Float32Array.of(Number.NaN), new Float32Array(0)], 16, true)).toBeUndefined()
  })
})

describe('views of a histogram', () => {
  const bins: HistogramBins = { width: 0.5, first: -3, counts: Float64Array.of(1, 2, 3, 40, 50) }

  it('folds both sides into magnitudes', () => {
    expect(magnitudes(bins)).toEqual({ width: 0.5, first: 0, counts: Float64Array.of(43, 52, 1) })
    expect(magnitudes({ ...bins, first: 2 })).toEqual({ ...bins, first: 2 })
    expect(magnitudes({ ...bins, first: -9 })).toEqual({ width: 0.5, first: 4, counts: Float64Array.of(50, 40, 3, 2, 1) })
  })

  it('is itself when mirrored twice', () => {
    expect(mirrored(mirrored(bins))).toEqual(bins)
    expect(mirrored(bins).first).toBe(-2)
  })

  it('reaches to zero, in no more bins than asked for', () => {
    expect(aroundZero({ ...bins, first: 2 }, 8)).toEqual({ width: 0.5, first: 0, counts: Float64Array.of(0, 0, 1, 2, 3, 40, 50) })
    expect(aroundZero({ ...bins, first: 2 }, 4)).toEqual({ width: 1, first: 0, counts: Float64Array.of(0, 3, 43, 50) })
    expect(aroundZero({ ...bins, first: -9 }, 16)).toEqual({ width: 0.5, first: -9, counts: Float64Array.of(1, 2, 3, 40, 50, 0, 0, 0, 0) })
    expect(aroundZero({ ...bins, first: 1 << 24 }, 64).counts.reduce((sum, held) => sum + held)).toBe(96)
  })
})
