import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choleskyFactor, choleskySolve, inverseCholeskyFactor } from '../../../src/core/linear-algebra/cholesky.ts'
import { subtractProduct } from '../../../src/core/linear-algebra/subtract-product.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

function randomMatrix(rows: number, columns: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  return Float64Array.from({ length: rows * columns }, () => random.uniform() * 2 - 1)
}

/** Xᵀ·X + I, by the definition. */
function gram(size: number, seed: number): Float64Array {
  const rows = 20
  const x = randomMatrix(rows, size, seed)
  return product(transposed(x, rows, size), x, size, rows, size).map((value, index) => value + (index % (size + 1) === 0 ? 1 : 0))
}

function product(a: Float64Array, b: Float64Array, rows: number, inner: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns)
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < inner; k++)
      for (let column = 0; column < columns; column++) result[row * columns + column]! += a[row * inner + k]! * b[k * columns + column]!
  return result
}

function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(a, (_, index) => a[(index % rows) * columns + Math.floor(index / rows)]!)
}

function expectClose(actual: Float64Array, expected: Float64Array, within = 1e-9): void {
  expect(actual.length).toBe(expected.length)
  expect(Math.max(0, ...actual.map((value, index) => Math.abs(value - expected[index]!)))).toBeLessThan(within)
}

const identity = (size: number) => Float64Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0))

describe('choleskyFactor', () => {
  it('factors a 2 × 2 matrix as by hand', () => {
    // [4 2; 2 5] = Uᵀ·U with U = [2 1; 0 2].
    expect(choleskyFactor(Float64Array.of(4, 2, 2, 5), 2)).toEqual(Float64Array.of(2, 1, 0, 2))
  })

  // 64 rows are factored at once: one block, one block exactly, several.
  it.each([0, 1, 5, 64, 65, 200])('UᵀU is the matrix again, %i × itself', (size) => {
    const matrix = gram(size, size)
    const upper = choleskyFactor(matrix, size)!
    expectClose(product(transposed(upper, size, size), upper, size, size, size), matrix)
    for (let row = 1; row < size; row++) expect(upper[row * size]).toBe(0)
  })

  it('reads the upper triangle only, and leaves the matrix as it was', () => {
    const matrix = gram(10, 3)
    const lopsided = matrix.map((value, index) => (index % 10 < Math.floor(index / 10) ? Number.NaN : value))
    const before = lopsided.slice()
    expect(choleskyFactor(lopsided, 10)).toEqual(choleskyFactor(matrix, 10))
    expect(lopsided).toEqual(before)
  })

  it.each([
    { what: 'indefinite', matrix: [1, 2, 2, 1] },
    { what: 'singular', matrix: [1, 1, 1, 1] },
    { what: 'NaN', matrix: [1, Number.NaN, Number.NaN, 1] },
    { what: 'infinite', matrix: [Number.POSITIVE_INFINITY, 0, 0, 1] },
  ])('gives nothing for a matrix that is $what', ({ matrix }) => {
    expect(choleskyFactor(Float64Array.from(matrix), 2)).toBeUndefined()
    expect(inverseCholeskyFactor(Float64Array.from(matrix), 2)).toBeUndefined()
  })

  it('refuses a size that is not the matrix’s', () => {
    expect(() => choleskyFactor(new Float64Array(5), 2)).toThrow(RangeError)
  })
})

it('choleskySolve: A times the solution is the right side', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 4 }), fc.nat(), (size, columns, seed) => {
      const matrix = gram(size, seed)
      const right = randomMatrix(size, columns, seed + 1)
      const solution = right.slice()
      choleskySolve(choleskyFactor(matrix, size)!, size, solution, columns)
      expectClose(product(matrix, solution, size, size, columns), right, 1e-8)
    }),
    { numRuns: 20 },
  )
})

describe('inverseCholeskyFactor', () => {
  it('factors the inverse of a 2 × 2 matrix as by hand', () => {
    // The inverse of [2 1; 1 2] is [2 −1; −1 2] / 3; its factor [√(2/3) −1/√6; 0 1/√2].
    const factor = inverseCholeskyFactor(Float64Array.of(2, 1, 1, 2), 2)!
    expectClose(factor, Float64Array.of(Math.sqrt(2 / 3), -1 / Math.sqrt(6), 0, Math.SQRT1_2), 1e-12)
  })

  it.each([1, 63, 64, 130])('VᵀV times the matrix is the identity, %i × itself', (size) => {
    const matrix = gram(size, size)
    const factor = inverseCholeskyFactor(matrix, size)!
    expectClose(product(product(transposed(factor, size, size), factor, size, size, size), matrix, size, size, size), identity(size), 1e-8)
    for (let row = 1; row < size; row++) expect(factor[row * size]).toBe(0)
  })
})

it('subtractProduct: parts of matrices, of any size', () => {
  fc.assert(
    fc.property(fc.tuple(fc.nat(9), fc.nat(150), fc.nat(600)), fc.nat(), ([rows, inner, columns], seed) => {
      const [a, b, c] = [randomMatrix(rows, inner, seed), randomMatrix(inner, columns, seed + 1), randomMatrix(rows, columns + 3, seed + 2)]
      const expected = c.slice()
      const all = product(a, b, rows, inner, columns)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) expected[row * (columns + 3) + column + 2]! -= all[row * columns + column]!
      subtractProduct(
        { values: c, offset: 2, stride: columns + 3 },
        { values: a, offset: 0, stride: inner },
        { values: b, offset: 0, stride: columns },
        rows,
        inner,
        columns,
      )
      expectClose(c, expected)
    }),
    { numRuns: 30 },
  )
})
