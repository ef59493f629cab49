import type { RuntimeTensor, TensorValues } from '../inference-runtime.ts'
import { elementCount } from '../onnx/tensor-values.ts'

/**
 * Tensors of one type and, but for `axis`, one shape, joined along that axis in the order given.
 * @throws plain error when they do not fit: callers check
 */
export function joinTensors(tensors: readonly RuntimeTensor[], axis: number): RuntimeTensor {
  const [first] = tensors
  if (!first) throw new Error('nothing to join')
  const outer = elementCount(first.dims.slice(0, axis))
  const dims = first.dims.with(
    axis,
    tensors.reduce((sum, { dims: own }) => sum + own[axis]!, 0),
  )
  if (isText(first.values)) {
    const lists = tensors.map(({ values }) => values as readonly string[])
    const joined = Array.from({ length: outer }, (_, block) => lists.map((list) => blockOf(list, outer, block))).flat(2)
    return { type: first.type, dims, values: joined }
  }
  // All have the array type of the first.
  const Values = first.values.constructor as new (length: number) => Float32Array
  const joined = new Values(elementCount(dims))
  let at = 0
  for (let block = 0; block < outer; block++) {
    for (const { values } of tensors) {
      const part = blockOf(values as Float32Array, outer, block)
      joined.set(part, at)
      at += part.length
    }
  }
  return { type: first.type, dims, values: joined as TensorValues }
}

/** The block-th of `outer` equal parts. */
function blockOf<T extends { readonly length: number; slice(from: number, to: number): T }>(values: T, outer: number, block: number): T {
  const length = values.length / outer
  return values.slice(block * length, (block + 1) * length)
}

function isText(values: TensorValues): values is readonly string[] {
  return Array.isArray(values)
}
