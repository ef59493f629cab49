import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinTensors } from '../../../src/core/graph-surgery/join-tensors.ts'
import type { RuntimeTensor } from '../../../src/core/inference-runtime.ts'

const floats = (dims: readonly number[], values: readonly number[]): RuntimeTensor => ({
  type: 'float32',
  dims,
  values: Float32Array.from(values),
})

describe('joinTensors', () => {
  it('joins along the first and along the second dimension', () => {
    const [a, b] = [floats([1, 2], [1, 2]), floats([1, 2], [3, 4])]
    expect(joinTensors([a, b], 0)).toEqual(floats([2, 2], [1, 2, 3, 4]))
    const [c, d] = [floats([2, 1], [1, 2]), floats([2, 2], [3, 4, 5, 6])]
    expect(joinTensors([c, d], 1)).toEqual(floats([2, 3], [1, 3, 4, 2, 5, 6]))
  })

  it('keeps the type, also of texts', () => {
    const text = (values: readonly string[]): RuntimeTensor => ({ type: 'string', dims: [2, 1], values })
    expect(joinTensors([text(['a', 'b']), text(['c', 'd'])], 1)).toEqual({ type: 'string', dims: [2, 2], values: ['a', 'c', 'b', 'd'] })
    const whole: RuntimeTensor = { type: 'int64', dims: [1], values: BigInt64Array.of(2n ** 60n) }
    expect(joinTensors([whole, whole], 0).values).toEqual(BigInt64Array.of(2n ** 60n, 2n ** 60n))
  })

  it('finds every value at its index plus those before it along the axis', () => {
    const size = fc.integer({ min: 0, max: 3 })
    fc.assert(
      fc.property(size, fc.array(size, { minLength: 1, maxLength: 4 }), size, (outer, along, inner) => {
        let next = 0
        const parts = along.map((length) =>
          floats(
            [outer, length, inner],
            Array.from({ length: outer * length * inner }, () => next++),
          ),
        )
        const joined = joinTensors(parts, 1)
        const total = along.reduce((sum, length) => sum + length, 0)
        expect(joined.dims).toEqual([outer, total, inner])
        let before = 0
        for (const [index, length] of along.entries()) {
          for (let o = 0; o < outer; o++)
            for (let a = 0; a < length; a++)
              for (let i = 0; i < inner; i++)
                expect(joined.values[(o * total + before + a) * inner + i]).toBe(parts[index]!.values[(o * length + a) * inner + i])
          before += length
        }
      }),
    )
  })
})
