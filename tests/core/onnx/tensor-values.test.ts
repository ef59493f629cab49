import { create } from '@bufbuild/protobuf'
import { TensorProto_DataType as T, TensorProto_DataLocation, TensorProtoSchema } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { elementTypeName, elementTypeNumber, storedBytes } from '../../../src/core/onnx/data-types.ts'
import { elementCount, floatValues, integerValues, makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'

const raw = (dataType: number, values: ArrayBufferView, dims: bigint[]) =>
  create(TensorProtoSchema, {
    name: 't',
    dataType,
    dims,
    rawData: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
  })

describe('floats', () => {
  test.each([
    ['float32, raw', raw(T.FLOAT, Float32Array.of(1.5, -2), [2n])],
    ['float64, raw', raw(T.DOUBLE, Float64Array.of(1.5, -2), [2n])],
    ['float16, raw', raw(T.FLOAT16, Uint16Array.of(0x3e00, 0xc000), [2n])],
    ['float32, listed', create(TensorProtoSchema, { dataType: T.FLOAT, dims: [2n], floatData: [1.5, -2] })],
    ['float64, listed', create(TensorProtoSchema, { dataType: T.DOUBLE, dims: [2n], doubleData: [1.5, -2] })],
    ['float16, listed', create(TensorProtoSchema, { dataType: T.FLOAT16, dims: [2n], int32Data: [0x3e00, 0xc000] })],
  ])('%s', (_, tensor) => {
    expect([...floatValues(tensor)]).toEqual([1.5, -2])
  })

  test('raw data that is not aligned', () => {
    const bytes = new Uint8Array(9)
    bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1)
    expect([...floatValues(create(TensorProtoSchema, { dataType: T.FLOAT, dims: [2n], rawData: bytes.subarray(1) }))]).toEqual([1.5, -2])
  })
})

describe('integers', () => {
  test.each([
    ['int64', raw(T.INT64, BigInt64Array.of(7n, -8n), [2n]), [7, -8]],
    ['uint64', raw(T.UINT64, BigUint64Array.of(7n, 8n), [2n]), [7, 8]],
    ['int32', raw(T.INT32, Int32Array.of(7, -8), [2n]), [7, -8]],
    ['uint32', raw(T.UINT32, Uint32Array.of(4294967295), [1n]), [4294967295]],
    ['int16', raw(T.INT16, Int16Array.of(7, -8), [2n]), [7, -8]],
    ['uint16', raw(T.UINT16, Uint16Array.of(65535), [1n]), [65535]],
    ['int8', raw(T.INT8, Int8Array.of(7, -8), [2n]), [7, -8]],
    ['uint8', raw(T.UINT8, Uint8Array.of(255), [1n]), [255]],
    ['bool', raw(T.BOOL, Uint8Array.of(1, 0), [2n]), [1, 0]],
    ['int64, listed', create(TensorProtoSchema, { dataType: T.INT64, dims: [1n], int64Data: [-9n] }), [-9]],
    ['int8, listed', create(TensorProtoSchema, { dataType: T.INT8, dims: [1n], int32Data: [-9] }), [-9]],
  ])('%s', (_, tensor, values) => {
    expect(integerValues(tensor)).toEqual(values)
  })
})

describe('what does not fit', () => {
  test.each([
    ['too few bytes', raw(T.FLOAT, Float32Array.of(1), [2n]), /has 4 bytes, its shape \[2\] needs 8/],
    [
      'too many values',
      create(TensorProtoSchema, { name: 't', dataType: T.FLOAT, dims: [1n], floatData: [1, 2] }),
      /has 2 values, its shape \[1\] needs 1/,
    ],
    ['integers', raw(T.INT64, BigInt64Array.of(1n), [1n]), /holds int64, expected floating point/],
    [
      'external values',
      create(TensorProtoSchema, { name: 't', dataType: T.FLOAT, dims: [1n], dataLocation: TensorProto_DataLocation.EXTERNAL }),
      /external file/,
    ],
  ])('%s', (_, tensor, message) => {
    expect(() => floatValues(tensor)).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID', message: expect.stringMatching(message) }))
  })

  test('floats are no integers', () => {
    expect(() => integerValues(raw(T.FLOAT, Float32Array.of(1), [1n]))).toThrow(/holds float32, expected integers/)
  })

  test('makeTensor refuses a shape that its values do not fill', () => {
    expect(() => makeTensor('t', 'float32', [3], new Float32Array(2))).toThrow(/8 bytes do not fill float32\[3\]/)
  })
})

test('makeTensor copies its values', () => {
  const values = Float32Array.of(1, 2)
  const tensor = makeTensor('t', 'float32', [2], values)
  values[0] = 9
  expect([...floatValues(tensor)]).toEqual([1, 2])
  expect(integerValues(makeInt64('s', [2], [3, -1]))).toEqual([3, -1])
})

test('sizes', () => {
  expect(elementCount([])).toBe(1)
  expect(elementCount([2n, 3n])).toBe(6)
  expect(storedBytes(T.INT4, 3)).toBe(2)
  expect(storedBytes(T.STRING, 3)).toBeUndefined()
  expect(elementTypeName(elementTypeNumber('bfloat16'))).toBe('bfloat16')
  expect(elementTypeName(12345)).toBeUndefined()
})
