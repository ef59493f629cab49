import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inverseCholeskyFactor } from '../../../src/core/linear-algebra/cholesky.ts'
import { allocateByEnergy } from '../../../src/core/pruning/weight-pruning-allocation.ts'
import { pruneByActivation, pruneWithCompensation } from '../../../src/core/pruning/weight-pruning-matrix.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

const identity = (size: number) => Float64Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0))
const zeros = (weights: ArrayLike<number>) => Array.from(weights).filter((weight) => weight === 0).length

function randomWeights(count: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  return Float64Array.from({ length: count }, () => random.uniform() + 0.01)
}

describe('pruneByActivation (wanda)', () => {
  it('keeps a small weight of a strong input, in each row for itself', () => {
    const weights = Float64Array.of(1, -2, 3, 0.5, 0.6, 0.7)
    // ‖x‖ is 10, 1, 1: the scores are 10, 2, 3 and 5, 0.6, 0.7.
    pruneByActivation(weights, 2, 3, Float64Array.of(100, 1, 1), 1 / 3)
    expect([...weights]).toEqual([1, 0, 3, 0.5, 0, 0.7])
  })

  it('all rows together have exactly the share asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (rows, size, sparsity, seed) => {
          const weights = randomWeights(rows * size, seed)
          pruneByActivation(weights, rows, size, randomWeights(size, seed + 1), sparsity)
          expect(zeros(weights)).toBe(Math.round(rows * size * sparsity))
        },
      ),
    )
  })
})

describe('pruneWithCompensation (sparsegpt)', () => {
  it('with uncorrelated inputs of one size it takes the smallest weights and changes no other', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (rows, size, sparsity, seed) => {
          const before = randomWeights(rows * size, seed)
          const weights = before.slice()
          pruneWithCompensation(weights, rows, size, identity(size), sparsity)
          const count = Math.round(rows * size * sparsity)
          expect(zeros(weights)).toBe(count)
          const threshold = before.slice().sort()[count] ?? Number.POSITIVE_INFINITY
          expect([...weights]).toEqual([...before].map((weight) => (weight < threshold ? 0 : weight)))
        },
      ),
    )
  })

  it('by hand: what goes is made up for by what stays', () => {
    // H = [2 1; 1 2], U01/U00 = −1/2: without the first weight, the second takes half of it.
    const weights = Float64Array.of(0.1, 1)
    pruneWithCompensation(weights, 1, 2, inverseCholeskyFactor(Float64Array.of(2, 1, 1, 2), 2)!, 0.5)
    expect(weights[0]).toBe(0)
    expect(weights[1]).toBeCloseTo(1.05, 12)
  })

  it('has the exact share over several blocks of columns', () => {
    const [rows, size] = [3, 301]
    const weights = randomWeights(rows * size, 3)
    pruneWithCompensation(weights, rows, size, identity(size), 0.37)
    expect(zeros(weights)).toBe(Math.round(rows * size * 0.37))
  })
})

describe('allocateByEnergy', () => {
  it('takes more from the layer that can spare more, whatever size its weights have', () => {
    const even = { values: Float32Array.of(1, 1, 1, 1), squareOf: undefined }
    const uneven = { values: Float32Array.of(1000, 1, 2, 3), squareOf: undefined }
    expect(allocateByEnergy([even, uneven], 3 / 8)).toEqual([0, 3])
  })

  it('counts the inputs, and does without where they are not known or zero', () => {
    const values = Float32Array.of(1, 1, 1, 1)
    const strong = (index: number) => (index === 0 ? 1e6 : 1)
    expect(
      allocateByEnergy(
        [
          { values, squareOf: strong },
          { values, squareOf: undefined },
        ],
        3 / 8,
      ),
    ).toEqual([3, 0])
    expect(
      allocateByEnergy(
        [
          { values, squareOf: strong },
          { values, squareOf: () => 0 },
        ],
        3 / 8,
      ),
    ).toEqual([3, 0])
    expect(
      allocateByEnergy(
        [
          { values: new Float32Array(3), squareOf: undefined },
          { values, squareOf: strong },
        ],
        3 / 7,
      ),
    ).toEqual([3, 0])
  })

  it('all layers together have exactly the share asked for', () => {
    const layer = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 5 }), fc.double({ min: 0, max: 1, noNaN: true }), (layers, sparsity) => {
        const counts = allocateByEnergy(
          layers.map((values) => ({ values: Float32Array.from(values), squareOf: (index: number) => 1 + (index % 3) })),
          sparsity,
        )
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(Math.round(layers.flat().length * sparsity))
        for (const [index, count] of counts.entries()) expect(count).toBeLessThanOrEqual(layers[index]!.length)
      }),
    )
  })
})
