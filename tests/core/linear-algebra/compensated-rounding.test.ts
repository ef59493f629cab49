import { describe, expect, it } from 'vitest'
import { inverseCholeskyFactor } from '../../../src/core/linear-algebra/cholesky.ts'
import { roundWithCompensation } from '../../../src/core/linear-algebra/compensated-rounding.ts'
import { dampedInverseFactor } from '../../../src/core/linear-algebra/damped-inverse.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

describe('roundWithCompensation', () => {
  it('a row of two weights, by hand', () => {
    // H = [2 1; 1 2]: U = [√(2/3) −1/√6; 0 1/√2], U01/U00 = −1/2. 0.4 becomes 0, and half of its error goes to the second
    // weight: 0.4 + 0.2 = 0.6 becomes 1. Nearest alone would give 0 and 0.
    const weights = Float64Array.of(0.4, 0.4)
    const seen: number[] = []
    roundWithCompensation(weights, 1, inverseCholeskyFactor(Float64Array.of(2, 1, 1, 2), 2)!, 2, {
      choose: (_, column) => {
        seen.push(weights[column]!)
        return Math.round(weights[column]!)
      },
    })
    expect([...weights]).toEqual([0, 1])
    expect(seen[0]).toBe(0.4)
    expect(seen[1]).toBeCloseTo(0.6, 12)
  })

  it('across blocks it does the same as column by column', () => {
    const [rows, size] = [3, 300]
    const random = seededRandom(5)
    const x = Array.from({ length: 2 * size }, () => Float64Array.from({ length: size }, () => random.uniform() - 0.5))
    const h = new Float64Array(size * size)
    for (const row of x) for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) h[i * size + j]! += row[i]! * row[j]!
    const factor = inverseCholeskyFactor(h, size)!
    const start = Float64Array.from({ length: rows * size }, () => random.uniform() * 8 - 4)
    const weights = start.slice()
    const blocks: string[] = []
    roundWithCompensation(weights, rows, factor, size, {
      beginBlock: (from, to) => blocks.push(`${from}-${to}`),
      choose: (row, column) => Math.round(weights[row * size + column]!) + 0,
    })
    const expected = start.slice()
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < size; i++) {
        const error = (expected[row * size + i]! - Math.round(expected[row * size + i]!)) / factor[i * size + i]!
        for (let j = i; j < size; j++) expected[row * size + j]! -= error * factor[i * size + j]!
      }
    expect([...weights]).toEqual([...expected].map((value) => Math.round(value) + 0))
    expect(blocks).toEqual(['0-128', '128-256', '256-300'])
  })
})

describe('dampedInverseFactor', () => {
  const gram = (values: readonly number[]) => ({ size: 2, values: Float64Array.from(values), rows: 1, means: new Float64Array(2) })

  it('raises the diagonal by a hundredth of its mean, so that a singular matrix has a factor', () => {
    const factor = dampedInverseFactor(gram([1, 1, 1, 1]))!
    expect(factor).toEqual(inverseCholeskyFactor(Float64Array.of(1.01, 1, 1, 1.01), 2))
  })

  it('gives nothing for inputs that were always zero, or for NaN', () => {
    expect(dampedInverseFactor(gram([0, 0, 0, 0]))).toBeUndefined()
    expect(dampedInverseFactor(gram([1, Number.NaN, Number.NaN, 1]))).toBeUndefined()
  })
})
