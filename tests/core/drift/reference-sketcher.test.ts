import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driftReferenceSchema } from '../../../src/contract/monitoring.ts'
import { binOf, countBins, decodeSample, encodeSample, type WatchedFeature } from '../../../src/core/drift/feature-sketch.ts'
import { ReferenceSketcher } from '../../../src/core/drift/reference-sketcher.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

const feature = (name: string, index = 0): WatchedFeature => ({ name, source: { kind: 'input', name: 'x', index } })

/** The sketch of one column. */
function sketchOf(values: Iterable<number>, seed = 1) {
  const sketcher = new ReferenceSketcher([feature('value')], seededRandom(seed))
  for (const value of values) sketcher.add([value])
  const [sketch] = sketcher.finish().features
  if (!sketch) throw new Error('no sketch')
  return sketch
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)

describe('the reference sketch', () => {
  it('of numbers has bins of a tenth each, and a sample of a thousand', () => {
    const sketch = sketchOf(Array.from({ length: 5000 }, (_, index) => index))
    expect(sketch).toMatchObject({ kind: 'numeric', edges: [499, 999, 1499, 1999, 2499, 2999, 3499, 3999, 4499] })
    expect(sketch.counts).toEqual([500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 0])
    const sample = decodeSample(sketch.sample)
    expect(sample).toHaveLength(1000)
    expect(new Set(sample).size).toBe(1000)
    expect(sample).toEqual(sample.slice().sort())
  })

  it('of few different values has a bin for each', () => {
    const sketch = sketchOf(Array.from({ length: 1200 }, (_, index) => [0, 1, 7][index % 3] as number))
    expect(sketch).toMatchObject({ kind: 'categorical', edges: [0, 1, 7], counts: [400, 400, 400, 0, 0], sample: '' })
  })

  it('of a constant has one bin for it and one for all else', () => {
    expect(sketchOf(new Array(1000).fill(3.5))).toMatchObject({ kind: 'categorical', edges: [3.5], counts: [1000, 0, 0] })
  })

  it('counts what is no number on its own, and survives a column of nothing else', () => {
    const mixed = sketchOf(Array.from({ length: 1000 }, (_, index) => (index % 10 === 0 ? Number.NaN : index)))
    expect(mixed.counts.at(-1)).toBe(100)
    expect(decodeSample(mixed.sample)).toHaveLength(900)
    expect(sketchOf(new Array(1000).fill(Number.NaN))).toMatchObject({ kind: 'categorical', edges: [], counts: [0, 1000] })
    expect(sketchOf(new Array(1000).fill(Number.NEGATIVE_INFINITY))).toMatchObject({ edges: [], counts: [0, 1000] })
  })

  it('takes a value that many rows share into one bin', () => {
    const sketch = sketchOf(Array.from({ length: 1000 }, (_, index) => (index < 600 ? 0 : index)))
    expect(sketch).toMatchObject({ kind: 'numeric', edges: [0, 699, 799, 899], counts: [600, 100, 100, 100, 100, 0] })
    const top = sketchOf(Array.from({ length: 1000 }, (_, index) => Math.min(index, 400)))
    expect(top).toMatchObject({ edges: [99, 199, 299, 399], counts: [100, 100, 100, 100, 600, 0] })
  })

  it('keeps a fair choice of a long stream, whatever its order', () => {
    // Ascending rows: a choice that favoured early or late ones would have another mean.
    const rows = 60_000
    const sketch = sketchOf(Array.from({ length: rows }, (_, index) => index))
    expect(total(sketch.counts)).toBe(10_000)
    const sample = decodeSample(sketch.sample)
    const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length
    // The mean of a thousand uniform numbers has a standard deviation of rows ÷ √(12 · 1000): four of them.
    expect(Math.abs(mean - rows / 2)).toBeLessThan((4 * rows) / Math.sqrt(12_000))
    expect(Math.abs((sketch.edges[4] as number) - rows / 2)).toBeLessThan((4 * rows) / Math.sqrt(12_000))
  })

  it('is the same for the same seed and another for another', () => {
    const random = seededRandom(5)
    const values = Array.from({ length: 12_000 }, () => random.uniform())
    expect(sketchOf(values, 3)).toEqual(sketchOf(values, 3))
    expect(sketchOf(values, 3).sample).not.toBe(sketchOf(values, 4).sample)
  })

  it('keeps rows whole: the same row in every column', () => {
    const sketcher = new ReferenceSketcher([feature('a'), feature('b', 1)], seededRandom(9))
    for (let row = 0; row < 30_000; row++) sketcher.add([row, -row])
    const [a, b] = sketcher.finish().features
    expect(decodeSample(b?.sample ?? '').map((value) => -value)).toEqual(decodeSample(a?.sample ?? '').reverse())
  })

  it('refuses too few rows and too many features, and tells both numbers', () => {
    const sketcher = new ReferenceSketcher([feature('a')], seededRandom(1))
    for (let row = 0; row < 999; row++) sketcher.add([row])
    expect(() => sketcher.finish()).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/1000 rows, these are 999/) }),
    )
    expect(() => new ReferenceSketcher(new Array(1025).fill(feature('a')), seededRandom(1))).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    )
    expect(() => sketcher.add([1, 2])).toThrow(RangeError)
  })

  it('always counts every kept row once, in ascending bins, and its schema takes it', () => {
    const value = fc.oneof(
      fc.float({ noNaN: false }),
      fc.integer({ min: -3, max: 30 }),
      fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 3.4028234663852886e38, 1e-45),
    )
    fc.assert(
      fc.property(fc.array(value, { minLength: 1000, maxLength: 1100 }), (values) => {
        const sketcher = new ReferenceSketcher([feature('value')], seededRandom(2))
        for (const one of values) sketcher.add([one])
        const reference = JSON.parse(JSON.stringify(sketcher.finish()))
        expect(driftReferenceSchema.parse(reference)).toEqual(reference)
        const sketch = driftReferenceSchema.parse(reference).features[0]
        if (!sketch) throw new Error('no sketch')
        expect(total(sketch.counts)).toBe(values.length)
        expect(countBins(sketch, Float32Array.from(values))).toEqual(sketch.counts)
        if (sketch.kind === 'numeric') expect(sketch.counts.slice(0, -1).every((count) => count > 0)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})

describe('bins', () => {
  it('hold their upper edge, and categories their value only', () => {
    const numeric = { kind: 'numeric', edges: [1, 2] } as const
    expect([0, 1, 1.5, 2, 3, Number.NaN, Number.POSITIVE_INFINITY].map((value) => binOf(numeric, value))).toEqual([0, 0, 1, 1, 2, 3, 3])
    const categorical = { kind: 'categorical', edges: [1, 2] } as const
    expect([0, 1, 1.5, 2, 3, Number.NaN].map((value) => binOf(categorical, value))).toEqual([2, 0, 2, 1, 2, 3])
    expect(binOf({ kind: 'categorical', edges: [0] }, -0)).toBe(0)
  })
})

describe('the stored sample', () => {
  it('is read back bit by bit', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 40 }), (values) => {
        expect(decodeSample(encodeSample(values))).toEqual(values)
      }),
    )
    expect(() => decodeSample('AQI=')).toThrow(RangeError)
  })
})

describe('the schema of a stored reference', () => {
  const sound = () => {
    const sketcher = new ReferenceSketcher([feature('value')], seededRandom(1))
    for (let row = 0; row < 1000; row++) sketcher.add([row])
    return structuredClone(sketcher.finish())
  }
  type Sketch = { edges: number[]; counts: number[]; sample: string; name: string; source: unknown }

  it.each<[string, (sketch: Sketch) => void, RegExp]>([
    ['edges that do not ascend', (sketch) => sketch.edges.reverse(), /do not ascend/],
    ['missing counts', (sketch) => sketch.counts.pop(), /10 counts for 9 edges/],
    ['empty bins only', (sketch) => sketch.counts.fill(0), /all bins are empty/],
    ['a sample that does not ascend', (sketch) => (sketch.sample = encodeSample(Float32Array.of(2, 1))), /sample does not ascend/],
    ['a sample with NaN', (sketch) => (sketch.sample = encodeSample(Float32Array.of(Number.NaN))), /no finite number/],
    ['a sample that is no base64', (sketch) => (sketch.sample = 'abc'), /base64/],
    ['a sample that is too long', (sketch) => (sketch.sample = 'A'.repeat(6000)), /Too big/],
    ['a name that is too long', (sketch) => (sketch.name = 'n'.repeat(201)), /Too big/],
    ['too many edges', (sketch) => (sketch.edges = Array.from({ length: 21 }, (_, index) => index)), /Too big/],
    ['an unknown source', (sketch) => (sketch.source = { kind: 'weather' }), /Invalid/],
  ])('refuses %s', (_, break_, message) => {
    const reference = sound() as unknown as { features: [Sketch] }
    expect(driftReferenceSchema.safeParse(reference).success).toBe(true)
    break_(reference.features[0])
    const { error } = driftReferenceSchema.safeParse(reference)
    expect(error?.message).toMatch(message)
  })
})
