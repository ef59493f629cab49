import { halfToFloat } from '../float16.ts'
import type { RuntimeTensor } from '../inference-runtime.ts'

/** A number, true or false, or lists of them. */
export type NestedValues = number | boolean | string | NestedValues[]

/**
 * A tensor of one sample as nested lists for JSON, without the batch dimension: [1,28,28] gives 28 lists of 28 numbers.
 * Integers beyond 2^53 become decimal strings, bool becomes true and false.
 *
 * @param tensor with a batch dimension of 1 first; a tensor without dimensions gives its only value
 */
export function nestedSample(tensor: RuntimeTensor): NestedValues {
  const dims = tensor.dims.slice(1)
  const element = (index: number): NestedValues => {
    const value = tensor.values[index]
    if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value.toString()
    if (typeof value !== 'number') return value ?? 0
    if (tensor.type === 'bool') return value !== 0
    return tensor.type === 'float16' ? halfToFloat(value) : value
  }
  const nest = (axis: number, from: number): NestedValues => {
    const dim = dims[axis]
    if (dim === undefined) return element(from)
    const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1)
    return Array.from({ length: dim }, (_, index) => nest(axis + 1, from + index * inner))
  }
  return nest(0, 0)
}
