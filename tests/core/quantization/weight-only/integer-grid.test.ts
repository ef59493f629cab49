import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { floatToHalf, halfToFloat } from '../../../../src/core/float16.ts'
import { groupScale, INTEGER_GRIDS, type IntegerGrid, nearestInteger } from '../../../../src/core/quantization/weight-only/integer-grid.ts'
import { roundMatrix } from '../../../../src/core/quantization/weight-only/matrix-rounding.ts'

const { int8, int4, uint4 } = INTEGER_GRIDS

function scaleOf(weights: readonly number[], grid: IntegerGrid, search = false) {
  return groupScale(Float64Array.from(weights), 0, weights.length, grid, search ? { firstColumn: 0 } : undefined)
}

function rounded(weights: readonly number[], grid: IntegerGrid) {
  const scale = scaleOf(weights, grid)
  return weights.map((weight) => nearestInteger(weight, scale, grid))
}

describe('groupScale', () => {
  it('int4: the largest weight, sign included, becomes −8', () => {
    expect(scaleOf([-1, 3.5, 0.6], int4)).toEqual({ scale: -0.4375, zeroPoint: 0 })
    expect(rounded([-1, 3.5, 0.6], int4)).toEqual([2, -8, -1])
    expect(rounded([1, -4, 3.9], int4)).toEqual([2, -8, 7])
  })

  it('int4 for TensorRT: scales are positive, the largest weight becomes ±7', () => {
    const positive = { ...int4, negativeScales: false }
    expect(scaleOf([-1, 3.5, 0.6], positive)).toEqual({ scale: 0.5, zeroPoint: 0 })
    expect(rounded([-1, 3.5, 0.6], positive)).toEqual([-2, 7, 1])
  })

  it('int8: the largest weight becomes ±127', () => {
    expect(scaleOf([-2.54, 1], int8)).toEqual({ scale: Math.fround(0.02), zeroPoint: 0 })
    expect(rounded([-2.54, 1], int8)).toEqual([-127, 50])
  })

  it('uint4: zero is in the range and exact', () => {
    expect(scaleOf([-1, 2], uint4)).toEqual({ scale: Math.fround(0.2), zeroPoint: 5 })
    expect(rounded([-1, 2, 0], uint4)).toEqual([0, 15, 5])
    expect(scaleOf([0.5, 1.5], uint4)).toEqual({ scale: Math.fround(0.1), zeroPoint: 0 })
  })

  it('a group of zeros, or of weights too small for a scale, has scale 1', () => {
    for (const grid of [int8, int4, uint4]) {
      expect(scaleOf([0, -0], grid)).toEqual({ scale: 1, zeroPoint: 0 })
      expect(rounded([1e-40, 1e-41], grid)).toEqual([0, 0])
    }
  })

  it('scales of float16 weights are float16 values', () => {
    const { scale } = scaleOf([0.1, 0.777], { ...int8, halfScales: true })
    expect(scale).toBe(halfToFloat(floatToHalf(0.777 / 127)))
  })

  it('the search clips an outlier where that costs less', () => {
    // 300 small weights beside one of 1.3: at a scale of 1.3/−8 they are rounded coarsely.
    const weights = [...Array.from({ length: 300 }, (_, index) => ((index * 37) % 101) / 300), 1.3]
    expect(Math.abs(scaleOf(weights, int4, true).scale)).toBeLessThan(Math.abs(scaleOf(weights, int4).scale))
  })

  it('the search follows importance', () => {
    const weights = Float64Array.of(0.33, 1, -1)
    const errorOfFirst = (importance: Float64Array) => {
      const scale = groupScale(weights, 0, 3, int4, { importance, firstColumn: 0 })
      return Math.abs(weights[0]! - scale.scale * nearestInteger(weights[0]!, scale, int4))
    }
    expect(errorOfFirst(Float64Array.of(1000, 1, 1))).toBeLessThan(errorOfFirst(Float64Array.of(0.001, 1, 1)))
  })

  it('the search never makes the squared error larger', () => {
    const weight = fc.float({ min: -4, max: 4, noNaN: true })
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 40 }), fc.constantFrom(int8, int4, uint4), (weights, grid) => {
        const error = (search: boolean) => {
          const scale = scaleOf(weights, grid, search)
          return weights.reduce(
            (sum, value) => sum + (value - scale.scale * (nearestInteger(value, scale, grid) - scale.zeroPoint)) ** 2,
            0,
          )
        }
        expect(error(true)).toBeLessThanOrEqual(error(false) * (1 + 1e-9))
      }),
    )
  })
})

it('nearestInteger rounds half to even and clips', () => {
  const scale = { scale: 1, zeroPoint: 0 }
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 9, -9].map((value) => nearestInteger(value, scale, int4))).toEqual([0, 2, 2, 0, -2, 7, -8])
})

describe('roundMatrix', () => {
  const settings = { grid: int4, blockSize: 4, mseScales: false }

  it('gives each group of a channel its own scale, the last may be shorter', () => {
    const weights = Float64Array.of(8, 4, 2, 1, 80, 40, -0.8, -0.4, -0.2, -0.1, 0, 0.7)
    const { values, scales, groupSize } = roundMatrix(weights, 2, 6, settings)
    expect([...scales]).toEqual([-1, -10, Math.fround(0.1), Math.fround(0.7 / -8)])
    expect([...values]).toEqual([-8, -4, -2, -1, -8, -4, -8, -4, -2, -1, 0, -8])
    expect(groupSize).toBe(4)
    expect(weights[4]).toBe(80)
  })

  it('with uncorrelated inputs, errors cannot be made up for: gptq rounds to nearest', () => {
    const row = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), fc.constantFrom(int8, int4, uint4), (rows, grid) => {
        const weights = Float64Array.from(rows.flat())
        const diagonal = Float64Array.from({ length: 36 }, (_, index) => (index % 7 === 0 ? 1 + index : 0))
        const [nearest, compensated] = [weights.slice(), weights.slice()]
        const plain = roundMatrix(nearest, rows.length, 6, { ...settings, grid })
        const gptq = roundMatrix(compensated, rows.length, 6, { ...settings, grid, inverseFactor: diagonal })
        expect(gptq).toEqual(plain)
        expect(compensated).toEqual(nearest)
      }),
    )
  })
})
