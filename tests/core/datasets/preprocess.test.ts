import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isNumericType } from '../../../src/core/datasets/convert.ts'
import type { Elements, NumericType } from '../../../src/core/datasets/numeric-array.ts'
import { preparerFor } from '../../../src/core/datasets/prepare-samples.ts'
import { type PreprocessingSteps, stepsForAll } from '../../../src/core/datasets/preprocess.ts'
import { planSample, storedShapeFor } from '../../../src/core/datasets/sample-plan.ts'
import type { WantedDims } from '../../../src/core/datasets/sample-shape.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import { array, counting, port } from './arrays.ts'

/** Prepares samples of a shape (without the batch) as a model input of a type takes them. */
function prepare(
  stored: readonly number[],
  type: NumericType,
  sample: readonly number[],
  steps: PreprocessingSteps,
  wanted: WantedDims | undefined = undefined,
  target: NumericType = 'float32',
): { dims: readonly number[]; values: number[] } {
  const plan = planSample(sample, { name: 'x', type: target, sample: wanted }, steps, 'Array "x"')
  const { bytes } = array('x', type, stored)
  const elements = new (
    { uint8: Uint8Array, int8: Int8Array, float32: Float32Array, float64: Float64Array, float16: Uint16Array, int32: Int32Array } as Record<
      string,
      new (
        buffer: ArrayBufferLike,
      ) => Elements
    >
  )[type]!(bytes.slice().buffer)
  const count = plan.perSample === 0 ? 0 : stored.length / plan.perSample
  const values = preparerFor(plan, type)(elements, count, (index) => {
    throw new Error(`value ${index} cannot be held`)
  })
  return { dims: plan.dims, values: [...(values as Float32Array)] }
}

const shapeError = (message: RegExp) => expect.objectContaining({ code: 'DATASET_SHAPE', message: expect.stringMatching(message) })

describe('values', () => {
  test.each<[string, number[], number[], PreprocessingSteps, number[]]>([
    ['nothing', [1, 2], [2], {}, [1, 2]],
    ['scale', [0, 51, 255], [3], { scale: 1 / 255 }, [0, 0.2, 1]],
    ['one mean and deviation', [0.5, 1], [2], { mean: [0.5], std: [0.25] }, [0, 2]],
    ['the worked example', [51], [1], { scale: 1 / 255, mean: [0.5], std: [0.25] }, [-1.2]],
    ['channels first', [1, 2, 3, 4, 1, 2, 3, 4], [2, 1, 2], { mean: [1, 3] }, [0, 1, 0, 1, 0, 1, 0, 1]],
    ['channels last', [1, 3, 2, 4], [1, 2, 2], { mean: [1, 3], stored: 'channels-last' }, [0, 0, 1, 1]],
    ['channels last, found out', [1, 3, 2, 4, 5, 6], [3, 1, 2], { mean: [1, 3] }, [0, 0, 1, 1, 4, 3]],
    ['features', [1, 10, 2, 20], [2], { mean: [1, 10], std: [1, 10] }, [0, 0, 1, 1]],
    ['a mean for each channel and one deviation', [1, 3, 2, 4], [2], { mean: [1, 3], std: [2] }, [0, 0, 0.5, 0.5]],
    ['one mean and a deviation for each channel', [2, 3], [2], { mean: [1], std: [1, 4] }, [1, 0.5]],
  ])('%s', (_, values, sample, steps, expected) => {
    for (const type of ['float32', 'float64'] as const) {
      expect(prepare(values, type, sample, steps).values).toEqual([...Float32Array.from(expected)])
    }
  })

  test('channels first win where both could be meant and nothing is said', () => {
    expect(prepare(counting(45), 'float32', [3, 5, 3], { mean: [0, 15, 30] }).values).toEqual(counting(45).map((value) => value % 15))
    expect(prepare(counting(45), 'float32', [3, 5, 3], { mean: [0, 1, 2], layout: 'channels-last' }).values).toEqual(
      counting(45).map((value) => value - (value % 3)),
    )
  })

  test.each<[string, number[], PreprocessingSteps, RegExp]>([
    [
      'that are not there',
      [1, 28, 28],
      { mean: [1, 2, 3] },
      /3 values of mean or std, but input "x" of shape \[N,1,28,28\] has no channel axis/,
    ],
    ['that are at the other end', [3, 4, 5], { mean: [1, 2, 3], stored: 'channels-last' }, /has no channel axis of that size/],
    ['of two numbers', [3], { mean: [1, 2, 3], std: [1, 2] }, /has 3 and 2 values of mean or std/],
    ['of none', [3], { mean: [] }, /has 0 and 1 values of mean or std/],
  ])('channels %s', (_, sample, steps, message) => {
    expect(() => prepare([], 'float32', sample, steps)).toThrow(shapeError(message))
  })

  test('integers where they are asked for: rounded half to even, saturated', () => {
    const steps = { scale: 0.5, mean: [1], dtype: 'int8' }
    expect(prepare([0, 1, 2, 3, 5, 255, 300], 'float32', [7], steps, ['F'], 'int8').values).toEqual([-1, 0, 0, 0, 2, 126, 127])
    expect(prepare([0, 255, 128], 'uint8', [3], { scale: 1, mean: [128], dtype: 'int8' }, [3], 'int8').values).toEqual([-128, 127, 0])
    expect(prepare([0, 255, 7], 'uint8', [3], { scale: 2, dtype: 'uint8' }, [3], 'uint8').values).toEqual([0, 255, 14])
  })

  test('a value that its type cannot hold is refused, also when only some bytes are such', () => {
    expect(() => prepare([1e38], 'float32', [1], { scale: 1e3 })).toThrow('value 0 cannot be held')
    expect(() => prepare([1, 255], 'uint8', [2], { scale: 1000 }, [2], 'float16')).toThrow('value 1 cannot be held')
    expect(prepare([1, 2], 'uint8', [2], { scale: 1000 }, [2], 'float16').values).toEqual([floatToHalf(1000), floatToHalf(2000)])
  })

  test('each sample is treated as it is alone', () => {
    const values = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 24, maxLength: 24 })
    fc.assert(
      fc.property(values, (all) => {
        const steps = { scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] }
        expect(prepare(all, 'float32', [3, 2, 2], steps).values.slice(12)).toEqual(
          prepare(all.slice(12), 'float32', [3, 2, 2], steps).values,
        )
      }),
    )
  })
})

describe('channels', () => {
  // Two pixels of three channels: RGB RGB.
  const last = [1, 2, 3, 4, 5, 6]

  test.each<[string, number[], number[], PreprocessingSteps, number[], number[]]>([
    ['last to first', last, [1, 2, 3], { stored: 'channels-last', layout: 'channels-first' }, [3, 1, 2], [1, 4, 2, 5, 3, 6]],
    ['first to last', [1, 4, 2, 5, 3, 6], [3, 1, 2], { stored: 'channels-first', layout: 'channels-last' }, [1, 2, 3], last],
    ['reversed', last, [1, 2, 3], { stored: 'channels-last', reverseChannels: true }, [1, 2, 3], [3, 2, 1, 6, 5, 4]],
    ['reversed first', [1, 4, 2, 5, 3, 6], [3, 1, 2], { stored: 'channels-first', reverseChannels: true }, [3, 1, 2], [3, 6, 2, 5, 1, 4]],
    [
      'reversed and turned',
      last,
      [1, 2, 3],
      { stored: 'channels-last', layout: 'channels-first', reverseChannels: true },
      [3, 1, 2],
      [3, 6, 2, 5, 1, 4],
    ],
    [
      'reversed before mean and deviation, which are for the new order',
      last,
      [1, 2, 3],
      { stored: 'channels-last', layout: 'channels-first', reverseChannels: true, mean: [3, 2, 1], std: [1, 1, 3] },
      [3, 1, 2],
      [0, 3, 0, 3, 0, 1],
    ],
    [
      'of image files are last',
      last,
      [1, 2, 3],
      { image: { width: 2, height: 1, colour: 'rgb' }, layout: 'channels-first' },
      [3, 1, 2],
      [1, 4, 2, 5, 3, 6],
    ],
    [
      'of one kind stay',
      [1, 2],
      [1, 2, 1],
      { stored: 'channels-last', layout: 'channels-first', reverseChannels: true },
      [1, 1, 2],
      [1, 2],
    ],
    ['in a layout they have stay', last, [1, 2, 3], { stored: 'channels-last', layout: 'channels-last' }, [1, 2, 3], last],
  ])('%s', (_, values, sample, steps, dims, expected) => {
    for (const type of ['float32', 'uint8'] as const) {
      const scaled = type === 'uint8' ? { scale: 1, ...steps } : steps
      expect(prepare([...values, ...values], type, sample, scaled, dims)).toEqual({ dims, values: [...expected, ...expected] })
    }
  })

  test('of integers move as they are', () => {
    const steps = { stored: 'channels-last', layout: 'channels-first' } as const
    expect(prepare(last, 'uint8', [1, 2, 3], steps, [3, 1, 2], 'uint8').values).toEqual([1, 4, 2, 5, 3, 6])
    expect(prepare(last, 'int32', [1, 2, 3], steps, [3, 'H', 'W'], 'int32').values).toEqual([1, 4, 2, 5, 3, 6])
  })

  test('that are added or left out count as channels', () => {
    const grey = { stored: 'channels-last', layout: 'channels-first' } as const
    expect(prepare([1, 2], 'float32', [2, 1], grey, [1, 2, 1]).dims).toEqual([1, 2, 1])
    expect(prepare([1, 2], 'float32', [2, 1, 1], {}, [1, 2, 1]).dims).toEqual([1, 2, 1])
    expect(prepare([1, 2], 'uint8', [1, 2, 1], { scale: 1, image: { width: 2, height: 1, colour: 'grey' } }, [1, 2]).dims).toEqual([1, 2])
  })

  test.each<[string, number[], WantedDims, PreprocessingSteps, RegExp, RegExp]>([
    [
      'the model takes the other layout',
      [4, 5, 3],
      [3, 4, 5],
      {},
      /have shape \[4,5,3\], but model input "x" needs \[3,4,5\]\.$/,
      /"stored": "channels-last", "layout": "channels-first"/,
    ],
    [
      'another size',
      [4, 5, 3],
      [3, 8, 8],
      { stored: 'channels-last', layout: 'channels-first' },
      /have shape \[4,5,3\], but model input "x" needs \[3,8,8\], that is \[8,8,3\] before its layout is changed/,
      /"image": {"width": 8, "height": 8}/,
    ],
    [
      'turned although it is right already',
      [3, 4, 5],
      [3, 4, 5],
      { stored: 'channels-last', layout: 'channels-first' },
      /have shape \[3,4,5\], but model input "x" needs \[3,4,5\], that is \[4,5,3\]/,
      /correct "stored"/,
    ],
    [
      'images of another size than they were made',
      [4, 5, 3],
      [3, 'H', 'W'],
      { image: { width: 6, height: 4, colour: 'rgb' }, layout: 'channels-first' },
      /needs \[3,H,W\], that is \[4,6,3\]/,
      /./,
    ],
    [
      'grey images for three channels',
      [4, 5, 3],
      undefined as unknown as WantedDims,
      { image: { width: 5, height: 4, colour: 'grey' } },
      /have shape \[4,5,3\], but the preprocessing makes images of \[4,5,1\]/,
      /width, height and colour/,
    ],
    ['reversed where it is not known which', [4, 5, 3], [4, 5, 3], { reverseChannels: true }, /reverses the channels/, /"stored"/],
    ['reversed in a table', [4], [4], { reverseChannels: true, stored: 'channels-last' }, /none that are known/, /./],
  ])('%s', (_, sample, wanted, steps, message, hint) => {
    expect(() => prepare([], 'float32', sample, steps, wanted)).toThrow(
      expect.objectContaining({ code: 'DATASET_SHAPE', message: expect.stringMatching(message), hint: expect.stringMatching(hint) }),
    )
  })

  test('another element type than the model takes', () => {
    expect(() => prepare([1], 'float32', [1], { dtype: 'uint8' }, [1])).toThrow(
      expect.objectContaining({ code: 'DATASET_TYPE', message: 'The preprocessing gives uint8, but model input "x" is float32.' }),
    )
  })

  test('turned there and back are what they were, and each value is where NumPy’s transpose has it', () => {
    const image = fc.record({
      channels: fc.integer({ min: 1, max: 4 }),
      height: fc.integer({ min: 1, max: 5 }),
      width: fc.integer({ min: 1, max: 5 }),
      reversed: fc.boolean(),
    })
    fc.assert(
      fc.property(image, ({ channels, height, width, reversed }) => {
        const values = counting(2 * channels * height * width)
        const steps = { stored: 'channels-last', layout: 'channels-first', reverseChannels: reversed } as const
        const there = prepare(values, 'float32', [height, width, channels], steps, [channels, height, width])
        for (const [sample, c, y, x] of [
          [0, 0, 0, 0],
          [1, channels - 1, height - 1, 0],
          [1, 0, 0, width - 1],
        ] as const) {
          const from = ((sample * height + y) * width + x) * channels + (reversed ? channels - 1 - c : c)
          expect(there.values[((sample * channels + c) * height + y) * width + x]).toBe(values[from])
        }
        const back = { stored: 'channels-first', layout: 'channels-last', reverseChannels: reversed } as const
        expect(prepare(there.values, 'float32', [channels, height, width], back, [height, width, channels]).values).toEqual(values)
      }),
    )
  })
})

test('bytes looked up in a table have the bits of values that are computed', () => {
  const arithmetic = fc.record({
    scale: fc.double({ min: -3, max: 3, noNaN: true }),
    mean: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 }),
    std: fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 }),
    stored: fc.constantFrom('channels-last', 'channels-first', undefined),
    layout: fc.constantFrom('channels-last', 'channels-first', undefined),
    target: fc.constantFrom('float32', 'float16', 'float64'),
  })
  fc.assert(
    fc.property(arithmetic, fc.uint8Array({ minLength: 54, maxLength: 54 }), ({ target, ...steps }, bytes) => {
      const type = isNumericType(target) ? target : 'float32'
      const both = (['uint8', 'float32'] as const).map((source) => prepare([...bytes], source, [3, 3, 3], steps, [3, 3, 3], type))
      expect(both[0]).toEqual(both[1])
    }),
  )
})

describe('what of it is meant for which input', () => {
  const image = port('image', 'float32', 'N', 3, 8, 8)
  const ids = port('ids', 'int64', 'N', 'T')

  test.each<[string, PreprocessingSteps, boolean[]]>([
    ['numbers for floating point inputs', { scale: 2 }, [true, false]],
    ['a layout for images', { stored: 'channels-last', layout: 'channels-first' }, [true, false]],
    ['a type for inputs of that type', { scale: 2, dtype: 'int64' }, [false, true]],
    ['nothing', {}, [false, false]],
  ])('%s', (_, steps, meant) => {
    expect(stepsForAll([image, ids], steps)).toEqual(meant.map((is) => (is ? steps : {})))
  })

  test('all for the only one, and none is an error', () => {
    expect(stepsForAll([ids], { scale: 2 })).toEqual([{ scale: 2 }])
    expect(() => stepsForAll([ids, { ...ids, name: 'mask' }], { scale: 2 })).toThrow(
      shapeError(/none of the model’s inputs: "ids" int64\[N,T\], "mask"/),
    )
  })

  test('the shape to send is the stored one', () => {
    const turn = { stored: 'channels-last', layout: 'channels-first' } as const
    expect(storedShapeFor([3, 8, 9], turn)).toEqual([8, 9, 3])
    expect(storedShapeFor([3, 8, 9], {})).toEqual([3, 8, 9])
    expect(storedShapeFor([52], turn)).toEqual([52])
    expect(storedShapeFor(undefined, turn)).toBeUndefined()
    expect(storedShapeFor([3, undefined, undefined], { image: { width: 9, height: 8, colour: 'rgb' }, layout: 'channels-first' })).toEqual([
      8, 9, 3,
    ])
  })
})
