import { describe, expect, it } from 'vitest'
import { fixedInitializer, fixedTensor } from '../../../src/core/graph-surgery/fixed-values.ts'
import { floatValues, integerValues } from '../../../src/core/onnx/tensor-values.ts'

describe('fixedTensor', () => {
  it.each(['float32', 'float64', 'float16'] as const)('fills %s', (type) => {
    const tensor = fixedTensor('x', -0.5, { type, shape: [2, 3] })
    expect([...floatValues(fixedInitializer('x', tensor))]).toEqual(new Array(6).fill(-0.5))
  })

  it.each(['int64', 'int32', 'uint32', 'int16', 'uint16', 'int8', 'uint8', 'uint64'] as const)('fills %s', (type) => {
    const tensor = fixedTensor('x', 100, { type, shape: [] })
    expect(integerValues(fixedInitializer('x', tensor))).toEqual([100])
  })

  it.each([
    [2, 'bool', [1], /whole numbers from 0 to 1/],
    [256, 'uint8', [1], /0 to 255/],
    [0.5, 'int64', [], /whole numbers/],
    [1, 'string', [], /its type is string/],
    [1, 'float32', ['N', 3], /\[N,3\] is open/],
    [1, 'float32', [undefined], /\[\?\] is open/],
    [1, 'float32', [2 ** 20, 2 ** 20], /values would be stored/],
  ] as const)('refuses %d for %s %j', (value, type, shape, says) => {
    expect(() => fixedTensor('x', value, { type, shape })).toThrow(says)
  })
})
