import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../../fuzz-seed.ts'
import { removalLevels } from '../../../../src/core/pruning/channels/allocation.ts'
import { solveLayer } from '../../../../src/core/pruning/channels/refit.ts'
import { removalOrder } from '../../../../src/core/pruning/channels/removal-order.ts'
import { seededRandom } from '../../../../src/core/statistics/seeded-random.ts'

function matrix(rows: number, columns: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  return Float64Array.from({ length: rows * columns }, () => random.uniform() * 2 - 1)
}

/** Sums as they are collected: rows with a 1 appended, against themselves and against targets. */
function sumsOf(x: Float64Array, y: Float64Array, rows: number, inputs: number, outputs: number) {
  const width = inputs + 1
  const xx = new Float64Array(width * width)
  const xy = new Float64Array(width * outputs)
  const value = (row: number, i: number): number => (i === inputs ? 1 : x[row * inputs + i]!)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) xx[i * width + j]! += value(row, i) * value(row, j)
      for (let j = 0; j < outputs; j++) xy[i * outputs + j]! += value(row, i) * y[row * outputs + j]!
    }
  return { xx, xy }
}

describe('re-fit of one layer', () => {
  it('finds weights and bias that made the targets, from others', () => {
    const [rows, inputs, outputs] = [400, 5, 3]
    const x = matrix(rows, inputs, 1)
    const weights = matrix(inputs, outputs, 2)
    const y = new Float64Array(rows * outputs)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < outputs; column++) {
        y[row * outputs + column] = 0.5 * column
        for (let i = 0; i < inputs; i++) y[row * outputs + column]! += x[row * inputs + i]! * weights[i * outputs + column]!
      }
    const solved = solveLayer(matrix(inputs, outputs, 3), sumsOf(x, y, rows, inputs, outputs), inputs, outputs, true)!
    // The damping of 0.1 % pulls towards the start by as much.
    for (const [index, value] of solved.weights.entries()) expect(Math.abs(value - weights[index]!)).toBeLessThan(5e-3)
    for (const [column, value] of solved.bias.entries()) expect(Math.abs(value - 0.5 * column)).toBeLessThan(1e-3)
  })

  it('leaves weights alone that the samples say nothing about', () => {
    const before = matrix(2, 1, 4)
    const x = Float64Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 0 : index / 40))
    const y = Float64Array.from({ length: 20 }, (_, row) => 3 * x[row * 2 + 1]!)
    const solved = solveLayer(before, sumsOf(x, y, 20, 2, 1), 2, 1, true)!
    expect(solved.weights[0]).toBeCloseTo(before[0]!, 10)
    expect(solved.weights[1]).toBeCloseTo(3, 1)
  })
})

/** Smallest Σ‖xW − xŴ‖² (as tr(ΔᵀHΔ)) with some rows of Ŵ zero, found by eliminating them from the normal equations. */
function leastLoss(moments: Float64Array, weights: Float64Array, inputs: number, outputs: number, gone: readonly number[]): number {
  const kept = Array.from({ length: inputs }, (_, index) => index).filter((index) => !gone.includes(index))
  // Schur complement H_SS − H_SK H_KK⁻¹ H_KS by Gaussian elimination of the kept rows.
  const order = [...kept, ...gone]
  const a = order.map((i) => order.map((j) => moments[i * inputs + j]!))
  for (let k = 0; k < kept.length; k++)
    for (let i = k + 1; i < order.length; i++) {
      const factor = a[i]![k]! / a[k]![k]!
      for (let j = k; j < order.length; j++) a[i]![j]! -= factor * a[k]![j]!
    }
  let loss = 0
  for (let column = 0; column < outputs; column++)
    for (const [s, i] of gone.entries())
      for (const [t, j] of gone.entries())
        loss += weights[i * outputs + column]! * a[kept.length + s]![kept.length + t]! * weights[j * outputs + column]!
  return loss
}

describe('order of removal', () => {
  it('counts the loss that is left after the best possible re-fit, for every number removed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 5 }), fc.integer(), (size, classes, seed) => {
        const [inputs, outputs, rows] = [size * classes, 3, 60]
        const x = matrix(rows, inputs, seed)
        const moments = new Float64Array(inputs * inputs)
        for (let row = 0; row < rows; row++)
          for (let i = 0; i < inputs; i++)
            for (let j = 0; j < inputs; j++) moments[i * inputs + j]! += (x[row * inputs + i]! * x[row * inputs + j]!) / rows
        const weights = matrix(inputs, outputs, seed + 1)
        const names = Array.from({ length: classes }, (_, index) => 10 + index)
        const rowsOf = new Map(names.map((name, index) => [name, Array.from({ length: size }, (_, at) => index * size + at)]))
        const order = removalOrder(names, [{ inputs, outputs, moments, weights, scale: 2, rows: rowsOf }], classes - 1)
        expect(order.classes.length).toBe(classes - 1)
        const gone: number[] = []
        for (const [index, name] of order.classes.entries()) {
          gone.push(...rowsOf.get(name)!)
          const expected = 2 * leastLoss(moments, weights, inputs, outputs, gone)
          expect(Math.abs(order.losses[index]! - expected)).toBeLessThan(1e-6 + 1e-4 * expected)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('without samples the smallest weights go first', () => {
    const weights = Float64Array.of(3, 0.1, 2, 1)
    const rows = new Map([0, 1, 2, 3].map((index) => [index, [index]]))
    const { classes, losses } = removalOrder([0, 1, 2, 3], [{ inputs: 4, outputs: 1, moments: undefined, weights, scale: 1, rows }], 3)
    expect(classes).toEqual([1, 3, 2])
    expect(losses[2]).toBeCloseTo(0.01 + 1 + 4, 10)
  })
})

it('channel counts stay multiples, or as they are', () => {
  expect(removalLevels(32, 32, 8)).toEqual([0, 8, 16, 24])
  expect(removalLevels(20, 20, 8)).toEqual([0, 4, 12])
  expect(removalLevels(6, 6, 8)).toEqual([0])
  expect(removalLevels(32, 10, 8)).toEqual([0, 8])
})
