import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { floatToHalf, HALF_MAX, HALF_TINY, halfToFloat } from '../../src/core/float16.ts'

describe('binary16', () => {
  // IEEE 754-2019, and the table of examples at https://en.wikipedia.org/wiki/Half-precision_floating-point_format
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [1 / 3, 0x3555],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [(1023 / 1024) * 2 ** -14, 0x03ff],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
  ])('%d is 0x%x', (value, bits) => {
    expect(floatToHalf(value)).toBe(bits)
  })

  test.each([
    [2049, 2048],
    [2051, 2052],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-65520, Number.NEGATIVE_INFINITY],
    [1e30, Number.POSITIVE_INFINITY],
    [2 ** -25, 0],
    [1.5 * 2 ** -24, 2 * 2 ** -24],
    [2.5 * 2 ** -24, 2 * 2 ** -24],
    [1e-30, 0],
  ])('ties go to even: %d becomes %d', (value, rounded) => {
    expect(halfToFloat(floatToHalf(value))).toBe(rounded)
  })

  test('every bit pattern survives the way through a number', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToFloat(bits)
      if (Number.isNaN(value)) expect(floatToHalf(value) & 0x7fff).toBeGreaterThan(0x7c00)
      else if (floatToHalf(value) !== bits) expect.fail(`0x${bits.toString(16)} became 0x${floatToHalf(value).toString(16)}`)
    }
  })

  test('no other half is nearer', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(-65504), max: Math.fround(65504), noNaN: true }), (value) => {
        const bits = floatToHalf(value)
        const error = Math.abs(halfToFloat(bits) - value)
        for (const other of [bits - 1, bits + 1]) {
          const neighbour = halfToFloat(other & 0xffff)
          if (Number.isFinite(neighbour)) expect(Math.abs(neighbour - value)).toBeGreaterThanOrEqual(error)
        }
      }),
    )
  })

  test('limits', () => {
    expect(halfToFloat(0x7bff)).toBe(HALF_MAX)
    expect(halfToFloat(0x0001)).toBe(HALF_TINY)
    expect(Number.isNaN(halfToFloat(floatToHalf(Number.NaN)))).toBe(true)
  })
})
