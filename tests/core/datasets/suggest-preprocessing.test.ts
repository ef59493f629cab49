import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFloat } from '../../../src/core/datasets/numeric-array.ts'
import type { PreprocessingSteps } from '../../../src/core/datasets/preprocess.ts'
import { planSample } from '../../../src/core/datasets/sample-plan.ts'
import { type DescribedTensor, suggestPreprocessing } from '../../../src/core/datasets/suggest-preprocessing.ts'

const tensor = (name: string, type: string, ...shape: (number | string | null)[]): DescribedTensor => ({ name, type, shape })
const labels = tensor('labels', 'int32', 10)
const files = { width: 64, height: 48, colour: 'rgb' } as const

describe('suggested preprocessing', () => {
  test.each<[string, DescribedTensor, DescribedTensor, PreprocessingSteps, PreprocessingSteps]>([
    ['bytes into floats', tensor('a', 'uint8', 10, 28, 28), tensor('x', 'float32', 'N', 1, 28, 28), {}, { scale: 1 / 255 }],
    ['bytes that are scaled already', tensor('a', 'uint8', 10, 28, 28), tensor('x', 'float32', 'N', 1, 28, 28), { scale: 1 }, { scale: 1 }],
    [
      'channels last for a model that takes them first',
      tensor('a', 'float32', 10, 8, 9, 3),
      tensor('x', 'float32', 'N', 3, 8, 9),
      {},
      { stored: 'channels-last', layout: 'channels-first' },
    ],
    [
      'channels first for a model that takes them last, sizes open',
      tensor('a', 'uint8', 10, 3, 8, 9),
      tensor('x', 'float32', 'N', 'H', null, 3),
      {},
      { stored: 'channels-first', layout: 'channels-last', scale: 1 / 255 },
    ],
    [
      'a layout that is changed although it is right',
      tensor('a', 'float32', 10, 3, 8, 9),
      tensor('x', 'float32', 'N', 3, 8, 9),
      { stored: 'channels-last', layout: 'channels-first', mean: [1] },
      { mean: [1] },
    ],
    [
      'image files for a model of another size and layout',
      tensor('images', 'uint8', 10, 48, 64, 3),
      tensor('x', 'float32', 'N', 3, 224, 224),
      { image: files },
      { image: { width: 224, height: 224, colour: 'rgb' }, layout: 'channels-first', scale: 1 / 255 },
    ],
    [
      'image files for a grey model that takes channels last',
      tensor('images', 'uint8', 10, 48, 64, 3),
      tensor('x', 'uint8', 'N', 48, 64, 1),
      { image: files, scale: 1 / 255, mean: [0.5] },
      { image: { ...files, colour: 'grey' } },
    ],
    ['another dtype', tensor('a', 'float32', 10, 4), tensor('x', 'float32', 'N', 4), { dtype: 'float16' }, {}],
    [
      'rounded integers, because it is said',
      tensor('a', 'float32', 10, 4),
      tensor('x', 'int8', 'N', 4),
      { scale: 2, dtype: 'int8' },
      { scale: 2, dtype: 'int8' },
    ],
    ['nothing for a table', tensor('features', 'float32', 10, 4), tensor('x', 'float32', 'N', 4), {}, {}],
    ['nothing where the shapes say nothing', tensor('a', 'float32', 10, 3, 8, 3), tensor('x', 'float32', null, null, null, null), {}, {}],
  ])('%s', (_, array, input, current, expected) => {
    const { preprocessing, reasons } = suggestPreprocessing([array, labels], [input], current)
    expect(preprocessing).toEqual(expected)
    expect(reasons.length > 0).toBe(JSON.stringify(preprocessing) !== JSON.stringify(current))
  })

  test('is about the image of several inputs, and nothing without a pair', () => {
    const image = tensor('image', 'uint8', 10, 8, 8, 3)
    const ids = tensor('ids', 'int64', 10, 7)
    const inputs = [tensor('ids', 'int64', 'N', 7), tensor('image', 'float32', 'N', 3, 8, 8)]
    expect(suggestPreprocessing([ids, image], inputs, {}).preprocessing).toEqual({
      stored: 'channels-last',
      layout: 'channels-first',
      scale: 1 / 255,
    })
    expect(suggestPreprocessing([ids, image], [tensor('other', 'float32', 'N', 3)], { scale: 2 })).toEqual({
      preprocessing: { scale: 2 },
      reasons: [],
    })
  })

  test('fits: planning accepts it, and asking again changes nothing', () => {
    const dims = fc.record({ c: fc.constantFrom(1, 3, 4), h: fc.integer({ min: 5, max: 9 }), w: fc.integer({ min: 5, max: 9 }) })
    const last = fc.boolean()
    fc.assert(
      fc.property(
        dims,
        last,
        last,
        fc.constantFrom('uint8', 'float32'),
        fc.constantFrom('uint8', 'float32'),
        ({ c, h, w }, a, b, from, to) => {
          fc.pre(!(isFloat(from) && !isFloat(to)))
          const shape = (channelsLast: boolean) => (channelsLast ? [h, w, c] : [c, h, w])
          const array = tensor('a', from, 5, ...shape(a))
          const input = tensor('x', to, 'N', ...shape(b))
          const { preprocessing } = suggestPreprocessing([array], [input], {})
          const type = to === 'uint8' ? 'uint8' : 'float32'
          expect(planSample(shape(a), { name: 'x', type, sample: shape(b) }, preprocessing, 'a').dims).toEqual(shape(b))
          expect(suggestPreprocessing([array], [input], preprocessing)).toEqual({ preprocessing, reasons: [] })
        },
      ),
    )
  })
})
