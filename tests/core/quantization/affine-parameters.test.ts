import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { affineParameters, integerLimits, type QuantizedType, roundHalfToEven } from '../../../src/core/quantization/affine-parameters.ts'
import { dequantize, quantize, valueRange } from '../../../src/core/quantization/quantize-tensor.ts'

const types: readonly QuantizedType[] = ['uint8', 'int8']

describe('roundHalfToEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2.4, 2],
    [-2.6, -3],
  ])('%s → %s', (value, expected) => {
    expect(roundHalfToEven(value)).toBe(expected)
  })
})

describe('affineParameters', () => {
  it('gives the worked examples', () => {
    expect(affineParameters({ min: -1, max: 3 }, 'uint8')).toEqual({ scale: Math.fround(4 / 255), zeroPoint: 64 })
    expect(affineParameters({ min: -1, max: 3 }, 'int8')).toEqual({ scale: Math.fround(4 / 255), zeroPoint: -64 })
    expect(affineParameters({ min: -1, max: 3 }, 'int8', { symmetric: true })).toEqual({ scale: Math.fround(6 / 254), zeroPoint: 0 })
    expect(affineParameters({ min: -1, max: 3 }, 'uint8', { symmetric: true })).toEqual({ scale: Math.fround(6 / 255), zeroPoint: 128 })
  })

  it('makes zero part of the range', () => {
    expect(affineParameters({ min: 2, max: 4 }, 'uint8')).toEqual({ scale: Math.fround(4 / 255), zeroPoint: 0 })
    expect(affineParameters({ min: -4, max: -2 }, 'uint8')).toEqual({ scale: Math.fround(4 / 255), zeroPoint: 255 })
  })

  it('widens a range below the minimum', () => {
    expect(affineParameters({ min: 0, max: 0.001 }, 'uint8', { minimumRange: 0.51 }).scale).toBeCloseTo(0.002, 8)
  })

  it('keeps the lower limit as zero for a range without extent, so that ReLU still clips', () => {
    expect(affineParameters({ min: 0, max: 0 }, 'uint8')).toEqual({ scale: 1, zeroPoint: 0 })
    expect(affineParameters({ min: 0, max: 0 }, 'int8')).toEqual({ scale: 1, zeroPoint: -128 })
    expect(affineParameters({ min: 0, max: 0 }, 'int8', { symmetric: true })).toEqual({ scale: 1, zeroPoint: 0 })
  })

  it.each([
    { min: Number.NaN, max: 1 },
    { min: 0, max: Number.POSITIVE_INFINITY },
    { min: 2, max: 1 },
  ])('refuses $min to $max', (range) => {
    expect(() => affineParameters(range, 'uint8')).toThrow(RangeError)
  })
})

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) })

describe('quantize and dequantize', () => {
  it('gives the worked example', () => {
    expect([...quantize(Float32Array.of(1.25, -5.2, 1000, -1000), { scale: 0.5, zeroPoint: 10 }, 'uint8')]).toEqual([12, 0, 255, 0])
  })

  it('keeps every value of the range within half a step', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), fc.constantFrom(...types), fc.boolean(), (list, type, symmetric) => {
        const values = Float32Array.from(list)
        const parameters = affineParameters(valueRange(values)!, type, { symmetric })
        const restored = dequantize(quantize(values, parameters, type), parameters)
        for (const [index, value] of values.entries()) {
          // The zero point is rounded too: the far end of an asymmetric range may lie half a step outside.
          const limit = parameters.scale * (symmetric ? 0.5 : 1) * (1 + 1e-4) + 2 ** -126
          expect(Math.abs(restored[index]! - value)).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })

  it('keeps values inside the representable range within half a step, and zero exactly', () => {
    fc.assert(
      fc.property(
        fc.tuple(finite, finite),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...types),
        ([a, b], share, type) => {
          const range = { min: Math.min(a, b, 0), max: Math.max(a, b, 0) }
          const parameters = affineParameters(range, type)
          const { min, max } = integerLimits(type, false)
          const low = parameters.scale * (min - parameters.zeroPoint)
          const high = parameters.scale * (max - parameters.zeroPoint)
          const value = Math.fround(low + share * (high - low))
          const [restored, zero] = dequantize(quantize(Float32Array.of(value, 0), parameters, type), parameters)
          expect(Math.abs(restored! - value)).toBeLessThanOrEqual(parameters.scale * 0.5 * (1 + 1e-4))
          expect(Math.abs(zero!)).toBe(0)
        },
      ),
    )
  })

  it('finds the range without NaN', () => {
    expect(valueRange(Float32Array.of(Number.NaN, 3, -1, Number.NaN))).toEqual({ min: -1, max: 3 })
    expect(valueRange(Float32Array.of(Number.NaN))).toBeUndefined()
    expect(valueRange(new Float32Array())).toBeUndefined()
  })
})
