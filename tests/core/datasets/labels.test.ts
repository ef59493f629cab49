import { describe, expect, test } from 'vitest'
import { checkLabelCount, checkLabels, countClasses, readLabels } from '../../../src/core/datasets/labels.ts'
import type { NumericType } from '../../../src/core/datasets/numeric-array.ts'
import { array, counting } from './arrays.ts'

describe('reading labels', () => {
  test.each<NumericType>(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64'])(
    '%s',
    (type) => {
      expect([...readLabels(array('labels', type, [2, 0, 1]), 'data')]).toEqual([2, 0, 1])
    },
  )

  test.each<[string, Parameters<typeof array>]>([
    ['a column', ['labels', 'int64', [2, 0, 1], [3, 1]]],
    ['a column of columns', ['labels', 'int64', [2, 0, 1], [3, 1, 1]]],
    ['one-hot rows', ['labels', 'float32', [0, 0, 1, 1, 0, 0, 0, 1, 0], [3, 3]]],
    ['one-hot flags', ['labels', 'bool', [0, 0, 1, 1, 0, 0, 0, 1, 0], [3, 3]]],
  ])('%s', (_, parts) => {
    expect([...readLabels(array(...parts), 'data')]).toEqual([2, 0, 1])
  })

  test.each<[string, Parameters<typeof array>, RegExp]>([
    ['fractions', ['y', 'float32', [0, 1.5], [2]], /labels of data \(array "y"\) hold 1\.5 in row 1, expected whole numbers/],
    ['NaN', ['y', 'float64', [Number.NaN], [1]], /hold NaN in row 0/],
    ['negative labels', ['y', 'int8', [0, -1], [2]], /negative label -1 in row 1/],
    ['huge labels', ['y', 'int64', [2 ** 40], [1]], /1099511627776 in row 0, which is too large/],
    ['two ones in a row', ['y', 'uint8', [1, 0, 1, 1], [2, 2]], /not one-hot in row 1/],
    ['probabilities', ['y', 'float32', [0.5, 0.5], [1, 2]], /not one-hot in row 0/],
    ['a row of zeros', ['y', 'uint8', [1, 0, 0, 0], [2, 2]], /row 1: it is all zeros/],
    ['a single number', ['y', 'int64', [1], []], /shape int64\[\]/],
    ['masks', ['y', 'uint8', counting(8), [2, 2, 2]], /shape uint8\[2,2,2\]/],
  ])('%s are refused', (_, parts, message) => {
    expect(() => readLabels(array(...parts), 'data')).toThrow(
      expect.objectContaining({ code: 'DATASET_LABELS', message: expect.stringMatching(message) }),
    )
  })
})

test('labels must be classes of the model', () => {
  expect(() => checkLabels(Int32Array.of(0, 9), 10, 'data')).not.toThrow()
  expect(() => checkLabels(Int32Array.of(0, 10, 3), 10, 'data')).toThrow(
    expect.objectContaining({
      code: 'DATASET_LABELS',
      message: 'Label 10 in row 1 of data is out of range: the model has 10 classes (0 to 9).',
      details: { row: 1, found: 10, classes: 10 },
    }),
  )
})

test('there must be one label for each sample', () => {
  expect(() => checkLabelCount(3, 3, 'labels', 'data')).not.toThrow()
  expect(() => checkLabelCount(3, 4, 'labels', 'data')).toThrow(
    expect.objectContaining({ code: 'DATASET_LABELS', details: { expected: 4, found: 3 } }),
  )
})

test('classes are counted in order', () => {
  expect(Object.entries(countClasses(Int32Array.of(10, 2, 2, 0), 'data'))).toEqual([
    ['0', 1],
    ['2', 2],
    ['10', 1],
  ])
  expect(() => countClasses(Int32Array.from(counting(100_001)), 'data')).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
})
