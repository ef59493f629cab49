import '../../fuzz-seed.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valueDifference } from '../../../src/core/parity/value-difference.ts'

const f32 = (...values: number[]) => Float32Array.of(...values)
const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })

describe('valueDifference', () => {
  it('gives the numbers of the worked example', () => {
    // numpy 2.3.4: a, b = np.float64([3, 4]), np.float64([3, 4.5]); 20*np.log10(np.linalg.norm(a)/np.linalg.norm(a-b)) → 20.0;
    // a@b/np.linalg.norm(a)/np.linalg.norm(b) → 0.9984603532054124
    expect(valueDifference(f32(3, 4), f32(3, 4.5))).toEqual({
      kind: 'apart',
      sqnrDb: 20,
      maxAbsDiff: 0.5,
      meanAbsDiff: 0.25,
      cosine: expect.closeTo(0.998_460_353_205_412_4, 12),
    })
  })

  it('calls equal values the same, NaN and infinities in equal places too', () => {
    const values = f32(1, -0, Number.NaN, Number.POSITIVE_INFINITY)
    expect(valueDifference(values, f32(1, 0, Number.NaN, Number.POSITIVE_INFINITY))).toEqual({
      kind: 'same',
      sqnrDb: null,
      maxAbsDiff: 0,
      meanAbsDiff: 0,
      cosine: 1,
    })
    expect(valueDifference(f32(), f32()).kind).toBe('same')
  })

  it.each([
    [f32(1, Number.NaN), f32(1, 2)],
    [f32(1, 2), f32(1, Number.POSITIVE_INFINITY)],
    [f32(Number.POSITIVE_INFINITY), f32(Number.NEGATIVE_INFINITY)],
  ])('says broken, not a number, where only one machine is finite', (here, there) => {
    expect(valueDifference(here, there)).toEqual({ kind: 'broken', sqnrDb: null, maxAbsDiff: null, meanAbsDiff: null, cosine: null })
  })

  it('says misfit for another number of values', () => {
    expect(valueDifference(f32(1), f32(1, 2))).toMatchObject({ kind: 'misfit', sqnrDb: null, maxAbsDiff: null })
  })

  it('leaves shared NaN out of the sums, and stays finite where this computer gives zeros', () => {
    expect(valueDifference(f32(Number.NaN, 3, 4), f32(Number.NaN, 3, 4.5)).sqnrDb).toBe(20)
    expect(valueDifference(f32(0, 0), f32(0, 1))).toMatchObject({ sqnrDb: -300, maxAbsDiff: 1, cosine: 0 })
  })

  it('finds the same distances from either side, and signal to noise by 20 dB for a tenth of the noise', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 50 }), (pairs) => {
        const [a, b] = [Float32Array.from(pairs, ([x]) => x), Float32Array.from(pairs, ([, y]) => y)]
        const [forth, back] = [valueDifference(a, b), valueDifference(b, a)]
        expect(back.maxAbsDiff).toBe(forth.maxAbsDiff)
        expect(back.meanAbsDiff).toBe(forth.meanAbsDiff)
        expect(back.kind).toBe(forth.kind)
        if (forth.cosine !== null) expect(back.cosine).toBeCloseTo(forth.cosine, 9)
        expect(valueDifference(a, a).kind).toBe('same')
      }),
    )
    const signal = Float32Array.from({ length: 100 }, (_, index) => Math.sin(index) * 1000)
    const noisy = (size: number) => signal.map((value, index) => value + size * (index % 2 === 0 ? 1 : -1))
    expect(valueDifference(signal, noisy(0.5)).sqnrDb! - valueDifference(signal, noisy(5)).sqnrDb!).toBeCloseTo(20, 1)
  })
})
