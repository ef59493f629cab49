import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FitMethod, fitPreprocessing } from '../../../src/core/datasets/fit-preprocessing.ts'
import { prepareValues } from '../../../src/core/datasets/prepare-samples.ts'
import { planSample } from '../../../src/core/datasets/sample-plan.ts'

const statistics = { mean: [4, 10], std: [2, 5], min: [2, 0], max: [6, 30] }

/** Rows of two features as the description makes them. */
function prepared(rows: readonly number[], steps: object): number[] {
  const plan = planSample([2], { name: 'x', type: 'float64', sample: [2] }, steps, 'rows')
  const values = prepareValues(plan, Float64Array.from(rows), rows.length / 2, () => {
    throw new Error('not to be held')
  })
  return [...(values as Float64Array)]
}

describe('choosing scale, mean and std', () => {
  test.each<[FitMethod, object]>([
    ['standardize', { mean: [4, 10], std: [2, 5] }],
    ['min-max', { mean: [2, 0], std: [4, 30] }],
    ['symmetric', { mean: [4, 15], std: [2, 15] }],
    ['bytes', { scale: 1 / 255 }],
    ['bytes-symmetric', { scale: 1 / 127.5, mean: [1] }],
    ['imagenet', { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }],
  ])('%s', (method, expected) => {
    expect(fitPreprocessing(method, statistics, { scale: 3, mean: [9], layout: 'channels-first' as const })).toEqual({
      layout: 'channels-first',
      ...expected,
    })
  })

  test('what they are named after is what comes out', () => {
    expect(prepared([2, 0, 6, 30], fitPreprocessing('min-max', statistics, {}))).toEqual([0, 0, 1, 1])
    expect(prepared([2, 0, 6, 30], fitPreprocessing('symmetric', statistics, {}))).toEqual([-1, -1, 1, 1])
    expect(prepared([4, 10, 6, 15], fitPreprocessing('standardize', statistics, {}))).toEqual([0, 0, 1, 1])
    expect(prepared([0, 127.5, 255, 255], fitPreprocessing('bytes-symmetric', undefined, {}))).toEqual([-1, 0, 1, 1])
  })

  test('a constant feature becomes 0', () => {
    const constant = { mean: [7], std: [0], min: [7], max: [7] }
    for (const method of ['standardize', 'min-max', 'symmetric'] as const) {
      expect(fitPreprocessing(method, constant, {})).toEqual({ mean: [7], std: [1] })
    }
  })

  test('reversed channels have their entries reversed', () => {
    expect(fitPreprocessing('standardize', statistics, { reverseChannels: true })).toEqual({
      reverseChannels: true,
      mean: [10, 4],
      std: [5, 2],
    })
    expect(fitPreprocessing('imagenet', undefined, { reverseChannels: true }).mean).toEqual([0.406, 0.456, 0.485])
  })

  test('without statistics the description stays', () => {
    expect(fitPreprocessing('min-max', undefined, { scale: 2, mean: [1] })).toEqual({ scale: 2, mean: [1] })
  })

  test('standardized data has mean 0 and deviation 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 4, maxLength: 40 }), (column) => {
        const mean = column.reduce((sum, value) => sum + value, 0) / column.length
        const std = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length)
        fc.pre(std > 1)
        const of = { mean: [mean, mean], std: [std, std], min: [0, 0], max: [0, 0] }
        const values = prepared(
          column.flatMap((value) => [value, value]),
          fitPreprocessing('standardize', of, {}),
        )
        const squares = values.reduce((sum, value) => sum + value * value, 0) / values.length
        expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 3)
        expect(squares).toBeCloseTo(1, 3)
      }),
    )
  })
})
