import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FidelityAccumulator } from '../../../src/core/metrics/fidelity.ts'
import { OutputParity } from '../../../src/core/metrics/output-parity.ts'

describe('parity of an output', () => {
  it('is that of a worked example', () => {
    const parity = new OutputParity()
    const first = parity.add(Float32Array.of(3, 4), Float32Array.of(3, 4.5))
    expect(first.sqnrDb).toBeCloseTo(20, 12)
    expect(first.maxAbsDiff).toBe(0.5)
    expect(parity.add(Float32Array.of(1, 0), Float32Array.of(0, 1))).toMatchObject({ cosine: 0, maxAbsDiff: 1 })
    const { sqnrDb, cosine, worstCosine, maxAbsDiff, meanAbsDiff } = parity.result()
    expect(sqnrDb).toBeCloseTo(10 * Math.log10(26 / 2.25), 12)
    expect(cosine).toBeCloseTo((3 * 3 + 4 * 4.5) / (5 * Math.hypot(3, 4.5)) / 2, 12)
    expect({ worstCosine, maxAbsDiff, meanAbsDiff }).toEqual({ worstCosine: 0, maxAbsDiff: 1, meanAbsDiff: 2.5 / 4 })
  })

  it('knows identical outputs, zeros and integers', () => {
    const parity = new OutputParity()
    expect(parity.add(Float64Array.of(7, 8), Float64Array.of(7, 8))).toEqual({ sqnrDb: 300, cosine: 1, maxAbsDiff: 0 })
    expect(parity.add(new Float64Array(2), new Float64Array(2)).cosine).toBe(1)
    expect(parity.result()).toEqual({ sqnrDb: null, cosine: 1, worstCosine: 1, maxAbsDiff: 0, meanAbsDiff: 0 })
    expect(parity.add(new Float64Array(2), Float64Array.of(0, 1))).toEqual({ sqnrDb: -300, cosine: 0, maxAbsDiff: 1 })
    expect(() => parity.add(new Float64Array(2), new Float64Array(3))).toThrow(RangeError)
    expect(() => new OutputParity().result()).toThrow(RangeError)
  })

  it('never lets a value that is not a number pass, nor makes numbers of it', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinite } = Number
    const parity = new OutputParity()
    // Where the baseline has none, nothing can be compared.
    expect(parity.add(Float32Array.of(nan, infinite, 1), Float32Array.of(5, 5, 1))).toEqual({ sqnrDb: 300, cosine: 1, maxAbsDiff: 0 })
    expect(parity.add(Float32Array.of(1, 2), Float32Array.of(nan, 2.5))).toEqual({ sqnrDb: -300, cosine: 0, maxAbsDiff: 0.5 })
    expect(parity.brokenValues).toBe(1)
    expect(parity.result()).toEqual({ sqnrDb: -300, cosine: 0.5, worstCosine: 0, maxAbsDiff: 0.5, meanAbsDiff: 0.25 })
    const large = new OutputParity()
    large.add(Float64Array.of(1e300, 1), Float64Array.of(-1e300, 1))
    expect(Object.values(large.result()).every((value) => Number.isFinite(value))).toBe(true)
  })

  it('agrees with the fidelity that builds are checked with', () => {
    const row = fc.array(fc.tuple(fc.float({ noNaN: true, min: -100, max: 100 }), fc.float({ noNaN: true, min: -100, max: 100 })), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const [parity, fidelity] = [new OutputParity(), new FidelityAccumulator()]
        for (const values of rows) {
          const [reference, actual] = [Float32Array.from(values, ([a]) => a), Float32Array.from(values, ([, b]) => b)]
          parity.add(reference, actual)
          fidelity.add(reference, actual)
        }
        const [found, expected] = [parity.result(), fidelity.result()]
        expect(found.maxAbsDiff).toBe(expected.maxAbsDiff)
        if (expected.sqnrDb === null) expect(found.sqnrDb).toBeNull()
        else expect(found.sqnrDb).toBeCloseTo(expected.sqnrDb, 9)
        expect(found.worstCosine).toBeLessThanOrEqual(found.cosine + 1e-12)
      }),
    )
  })
})
