import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fixedBatchOf, matchArrays } from '../../../src/core/datasets/match-inputs.ts'
import { nestedSample } from '../../../src/core/datasets/nested-values.ts'
import type { NumericArray } from '../../../src/core/datasets/numeric-array.ts'
import { bindSamples } from '../../../src/core/datasets/sample-set.ts'
import { fitSampleShape } from '../../../src/core/datasets/sample-shape.ts'
import type { Port } from '../../../src/core/inference-runtime.ts'
import { array, counting, port } from './arrays.ts'

const coded = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) })
const describeArray = ({ name, type, shape }: NumericArray) => ({ name, type, numeric: true, shape })
const bind = (input: Port, data: NumericArray, steps = {}) => bindSamples([{ input, array: data, steps }], 'data.npz')

describe('finding the array of each input', () => {
  const a = describeArray(array('a', 'float32', [1], [1, 1]))
  const b = describeArray(array('b', 'float32', [1], [1, 1]))
  const labels = describeArray(array('labels', 'int64', [0]))
  const names = (result: ReturnType<typeof matchArrays>) => [result.inputs.map(({ array: name }) => name), result.labels]

  test.each<[string, Parameters<typeof matchArrays>[0], Port[], unknown]>([
    ['by name', [b, labels, a], [port('a', 'float32'), port('b', 'float32')], [['a', 'b'], 'labels']],
    ['the only one, whatever its name', [b, labels], [port('input.1', 'float32')], [['b'], 'labels']],
    ['the only one of numbers', [b, { ...a, name: 'classes', type: 'text', numeric: false }], [port('x', 'float32')], [['b'], undefined]],
    ['by name although there are more', [a, b], [port('a', 'float32')], [['a'], undefined]],
    ['targets as labels', [a, { ...labels, name: 'targets' }], [port('a', 'float32')], [['a'], 'targets']],
    ['y as labels', [a, { ...labels, name: 'y' }], [port('a', 'float32')], [['a'], 'y']],
    ['y as an input', [{ ...a, name: 'y' }], [port('y', 'float32')], [['y'], undefined]],
    ['labels before y', [a, { ...labels, name: 'y' }, labels], [port('a', 'float32')], [['a'], 'labels']],
  ])('%s', (_, arrays, inputs, expected) => {
    expect(names(matchArrays(arrays, inputs, 'data.npz'))).toEqual(expected)
  })

  test.each<[string, Parameters<typeof matchArrays>[0], Port[], RegExp]>([
    [
      'one of two',
      [a, labels],
      [port('a', 'float32', 'N', 1), port('mask', 'int64', 'N', undefined)],
      /needs an array "mask" int64\[N,\?\] \(all inputs: "a", "mask"\); data\.npz has "a" float32\[1,1\], "labels" int64\[1\]/,
    ],
    [
      'two that could be meant',
      [a, b],
      [port('x', 'float32', 'N', 1)],
      /needs an array "x" float32\[N,1\]; data\.npz has "a" float32\[1,1\], "b"/,
    ],
    ['labels alone', [labels], [port('x', 'float32', 'N')], /data\.npz has "labels" int64\[1\]/],
    ['nothing', [], [port('x', 'float32', 'N')], /data\.npz has no arrays/],
  ])('%s is not enough', (_, arrays, inputs, message) => {
    expect(() => matchArrays(arrays, inputs, 'data.npz')).toThrow(coded('DATASET_ARRAY_MISSING', message))
  })

  test('text is no input', () => {
    expect(() => matchArrays([{ ...a, type: 'text', numeric: false }], [port('a', 'float32')], 'data.npz')).toThrow(
      coded('DATASET_TYPE', /"a" of data\.npz holds text/),
    )
  })
})

describe('shapes', () => {
  const names = { where: 'Array "x"', input: 'x' }

  test.each<[string, number[], Port['shape'], number[]]>([
    ['the same', [5, 1, 28, 28], ['N', 1, 28, 28], [1, 28, 28]],
    ['a channel to add', [5, 28, 28], ['N', 1, 28, 28], [1, 28, 28]],
    ['a channel to add at the end', [5, 28, 28], ['N', 28, 28, 1], [28, 28, 1]],
    ['a channel to remove', [5, 28, 28, 1], ['N', 28, 28], [28, 28]],
    ['a channel that moves, because it is 1', [5, 28, 28, 1], ['N', 1, 28, 28], [1, 28, 28]],
    ['symbols', [5, 3, 10, 20], ['N', 3, 'H', undefined], [3, 10, 20]],
    ['symbols and a channel to add', [5, 10, 20], ['N', 1, 'H', 'W'], [1, 10, 20]],
    ['numbers alone', [5], ['N'], []],
    ['a column for single numbers', [5], ['N', 1], [1]],
  ])('%s', (_, shape, model, expected) => {
    expect(fitSampleShape(shape.slice(1), model.slice(1), names)).toEqual(expected)
  })

  test.each<[string, number[], Port['shape'], RegExp, RegExp]>([
    [
      'another size',
      [5, 1, 32, 32],
      ['N', 1, 28, 28],
      /Samples of array "x" have shape \[1,32,32\], but model input "x" needs \[1,28,28\]/,
      /made for/,
    ],
    ['channels last', [5, 28, 20, 3], ['N', 3, 28, 20], /needs \[3,28,20\]/, /numpy\.transpose\(x, \(0, 3, 1, 2\)\)/],
    ['channels first', [5, 3, 28, 20], ['N', 28, 20, 3], /needs \[28,20,3\]/, /numpy\.transpose\(x, \(0, 2, 3, 1\)\)/],
    ['flat', [5, 784], ['N', 1, 28, 28], /needs \[1,28,28\]/, /x\.reshape\(-1, 1, 28, 28\)/],
    ['too few dimensions', [5], ['N', 3, 'T'], /needs \[3,T\]/, /made for/],
  ])('%s', (_, shape, model, message, hint) => {
    expect(() => fitSampleShape(shape.slice(1), model.slice(1), names)).toThrow(
      expect.objectContaining({ code: 'DATASET_SHAPE', message: expect.stringMatching(message), hint: expect.stringMatching(hint) }),
    )
  })

  test('the batch a model insists on', () => {
    expect(fixedBatchOf([port('a', 'float32', 'N', 3), port('b', 'float32', undefined)])).toBeUndefined()
    expect(fixedBatchOf([port('a', 'float32', 4, 3), port('b', 'float32', 'N')])).toBe(4)
    expect(() => fixedBatchOf([port('a', 'float32', 1, 3), port('state', 'float32', 2, 1, 128)])).toThrow(
      coded('DATASET_SHAPE', /"a" and "state" of the model have different first dimensions \(1 and 2\)/),
    )
  })
})

describe('batches', () => {
  const samples = array('x', 'float32', counting(12), [3, 2, 2])

  test('have the batch first and are fresh copies', () => {
    const set = bind(port('in', 'float32', 'N', 1, 2, 2), samples)
    expect(set).toMatchObject({ sampleCount: 3, fixedBatch: undefined })
    const { in: first } = set.batch(1, 2)
    expect(first).toEqual({ type: 'float32', dims: [2, 1, 2, 2], values: Float32Array.from([4, 5, 6, 7, 8, 9, 10, 11]) })
    ;(first!.values as Float32Array)[0] = 99
    expect((set.batch(1, 1).in!.values as Float32Array)[0]).toBe(4)
  })

  test('gathered samples come in the asked order, also more than once', () => {
    const set = bind(port('in', 'float32', 'N', 4), array('x', 'float32', counting(12), [3, 4]))
    expect(set.gather([2, 0, 2]).in).toEqual({
      type: 'float32',
      dims: [3, 4],
      values: Float32Array.from([8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]),
    })
    expect(set.gather(Int32Array.of(1))).toEqual(set.batch(1, 1))
  })

  test('what is not there is a bug of the caller', () => {
    const set = bind(port('in', 'float32', 'N', 2, 2), samples)
    expect(() => set.batch(2, 2)).toThrow(RangeError)
    expect(() => set.batch(-1, 1)).toThrow(RangeError)
    expect(() => set.batch(0, 0)).toThrow(RangeError)
    expect(() => set.gather([3])).toThrow(RangeError)
    expect(() => set.gather([0.5])).toThrow(RangeError)
  })

  test('several inputs, and a scalar that is the same for all', () => {
    const set = bindSamples(
      [
        { input: port('a', 'float32', 2, 2, 2), array: samples, steps: {} },
        { input: port('ids', 'int64', 'N', 'T'), array: array('ids', 'int32', counting(6), [3, 2]), steps: {} },
        { input: port('sr', 'int64'), array: array('sr', 'int64', [16000], []), steps: {} },
      ],
      'data.npz',
    )
    expect(set.fixedBatch).toBe(2)
    expect(set.batch(1, 2)).toMatchObject({
      ids: { type: 'int64', dims: [2, 2], values: BigInt64Array.of(2n, 3n, 4n, 5n) },
      sr: { type: 'int64', dims: [], values: BigInt64Array.of(16000n) },
    })
  })

  test('every batch is what its samples are one by one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (count, width, start) => {
        const set = bind(port('x', 'float32', 'N', 'W'), array('x', 'float64', counting(count * width), [count, width]), {
          scale: 0.5,
          mean: [1],
        })
        const from = start % count
        const whole = set.batch(from, count - from).x!.values as Float32Array
        for (let index = from; index < count; index++) {
          expect([...whole.subarray((index - from) * width, (index - from + 1) * width)]).toEqual([
            ...(set.batch(index, 1).x!.values as Float32Array),
          ])
        }
      }),
    )
  })
})

describe('element types', () => {
  test.each<[string, Parameters<typeof array>[1], number[], Port['type'], object, unknown]>([
    ['float64 as float32', 'float64', [0.1], 'float32', {}, Float32Array.of(0.1)],
    ['float16 as float32', 'float16', [1.5], 'float32', {}, Float32Array.of(1.5)],
    ['float32 as float16', 'float32', [1 / 3], 'float16', {}, Uint16Array.of(0x3555)],
    ['float16 as it is', 'float16', [1.5], 'float16', {}, Uint16Array.of(0x3e00)],
    ['float32 as float64', 'float32', [1.5], 'float64', {}, Float64Array.of(1.5)],
    ['int64 as float32', 'int64', [-7], 'float32', {}, Float32Array.of(-7)],
    ['bool as float32', 'bool', [1], 'float32', {}, Float32Array.of(1)],
    ['scaled bytes', 'uint8', [51], 'float32', { scale: 1 / 255 }, Float32Array.of(0.2)],
    ['bytes as they are, because it is said', 'uint8', [51], 'float32', { scale: 1 }, Float32Array.of(51)],
    ['scaled bytes as float16', 'uint8', [255], 'float16', { scale: 1 / 255 }, Uint16Array.of(0x3c00)],
    ['bytes as bytes', 'uint8', [200], 'uint8', {}, Uint8Array.of(200)],
    ['int64 that fits int32', 'int64', [-7], 'int32', {}, Int32Array.of(-7)],
    ['int32 as int64', 'int32', [-7], 'int64', {}, BigInt64Array.of(-7n)],
    ['uint16 as uint64', 'uint16', [7], 'uint64', {}, BigUint64Array.of(7n)],
    ['int8 that fits uint8', 'int8', [7], 'uint8', {}, Uint8Array.of(7)],
    ['int64 as int16', 'int64', [-7], 'int16', {}, Int16Array.of(-7)],
    ['int32 as uint16', 'int32', [7], 'uint16', {}, Uint16Array.of(7)],
    ['int32 as uint32', 'int32', [7], 'uint32', {}, Uint32Array.of(7)],
    ['int32 as int8', 'int32', [-7], 'int8', {}, Int8Array.of(-7)],
    ['uint8 as bool', 'uint8', [1], 'bool', {}, Uint8Array.of(1)],
  ])('%s', (_, type, values, target, steps, expected) => {
    const tensor = bind(port('x', target, 'N'), array('x', type, values), steps).batch(0, 1).x
    expect(tensor).toEqual({ type: target, dims: [1], values: expected })
  })

  test.each<[string, Parameters<typeof array>[1], number[], Port['type'], object, string, RegExp]>([
    [
      'bytes without preprocessing',
      'uint8',
      [1],
      'float32',
      {},
      'DATASET_TYPE',
      /Array "x" of data\.npz is uint8, but model input "x" is float32: whether the bytes are to be scaled/,
    ],
    ['fractions for integers', 'float32', [1], 'int64', {}, 'DATASET_TYPE', /fractions would be lost/],
    ['preprocessing for integers', 'uint8', [1], 'uint8', { scale: 0.5 }, 'DATASET_TYPE', /preprocessing gives fractions/],
    ['a text input', 'float32', [1], 'string', {}, 'DATASET_TYPE', /cannot be fed/],
    ['a number too large', 'int64', [2 ** 40], 'int32', {}, 'DATASET_TYPE', /1099511627776 in sample 0, which does not fit into int32/],
    ['a negative number', 'int8', [0, -1], 'uint8', {}, 'DATASET_TYPE', /-1 in sample 1/],
    ['neither true nor false', 'uint8', [2], 'bool', {}, 'DATASET_TYPE', /2 in sample 0/],
    ['too large for float32', 'float64', [1e39], 'float32', {}, 'DATASET_TYPE', /1e\+39 in sample 0, which does not fit into float32/],
    ['too large for float16', 'float32', [0, 1e5], 'float16', {}, 'DATASET_TYPE', /100000 in sample 1/],
    ['NaN', 'float32', [0, Number.NaN], 'float32', {}, 'DATASET_INVALID', /Array "x" of data\.npz holds NaN in sample 1 \(element 0\)/],
    ['infinity', 'float64', [Number.NEGATIVE_INFINITY], 'float32', {}, 'DATASET_INVALID', /-Infinity in sample 0/],
    ['NaN in float16', 'float16', [1, Number.NaN], 'float32', {}, 'DATASET_INVALID', /NaN in sample 1/],
  ])('%s is refused', (_, type, values, target, steps, code, message) => {
    expect(() => bind(port('x', target, 'N'), array('x', type, values), steps)).toThrow(coded(code, message))
  })

  test('the sample of a bad value is named, far into a large array', () => {
    const values = new Float32Array(300_000)
    values[299_998] = Number.POSITIVE_INFINITY
    const large: NumericArray = { name: 'x', type: 'float32', shape: [3000, 10, 10], bytes: new Uint8Array(values.buffer) }
    expect(() => bind(port('x', 'float32', 'N', 10, 10), large)).toThrow(coded('DATASET_INVALID', /Infinity in sample 2999 \(element 98\)/))
  })
})

describe('what cannot be fed', () => {
  test.each<[string, () => unknown, string, RegExp]>([
    [
      'no samples',
      () => bind(port('x', 'float32', 'N', 3), array('x', 'float32', [], [0, 3])),
      'DATASET_EMPTY',
      /data\.npz holds no sample: array "x" has shape \[0,3\]/,
    ],
    [
      'samples of nothing',
      () => bind(port('x', 'float32', 'N', 'T'), array('x', 'float32', [], [3, 0])),
      'DATASET_EMPTY',
      /samples without values/,
    ],
    [
      'a single number',
      () => bind(port('x', 'float32', 'N', 3), array('x', 'float32', [1], [])),
      'DATASET_SHAPE',
      /"x" of data\.npz is a single number/,
    ],
    [
      'different counts',
      () =>
        bindSamples(
          [
            { input: port('a', 'float32', 'N'), array: array('a', 'float32', [1, 2]), steps: {} },
            { input: port('b', 'float32', 'N'), array: array('b', 'float32', [1]), steps: {} },
          ],
          'data.npz',
        ),
      'DATASET_SHAPE',
      /"a" 2, "b" 1/,
    ],
    [
      'preprocessing for channels that are not there',
      () => bind(port('x', 'float32', 'N', 4), array('x', 'float32', counting(4), [1, 4]), { mean: [1, 2, 3] }),
      'DATASET_SHAPE',
      /3 values of mean or std/,
    ],
  ])('%s', (_, run, code, message) => {
    expect(run).toThrow(coded(code, message))
  })
})

test('an unknown rank takes samples as they are', () => {
  expect(bind(port('x', 'float32'), array('x', 'float32', counting(8), [2, 2, 2])).batch(1, 1).x).toEqual({
    type: 'float32',
    dims: [1, 2, 2],
    values: Float32Array.of(4, 5, 6, 7),
  })
})

test('a sample as nested lists', () => {
  expect(nestedSample({ type: 'float32', dims: [1, 2, 3], values: Float32Array.from(counting(6)) })).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ])
  expect(nestedSample({ type: 'float16', dims: [1, 1], values: Uint16Array.of(0x3e00) })).toEqual([1.5])
  expect(nestedSample({ type: 'bool', dims: [1, 2], values: Uint8Array.of(1, 0) })).toEqual([true, false])
  expect(nestedSample({ type: 'int64', dims: [], values: BigInt64Array.of(16000n) })).toBe(16000)
  expect(nestedSample({ type: 'int64', dims: [1, 1], values: BigInt64Array.of(2n ** 62n) })).toEqual(['4611686018427387904'])
})
