import { create } from '@bufbuild/protobuf'
import { type TensorProto, TensorProtoSchema } from 'onnx-buf'
import { storedBytes } from '../../onnx/data-types.ts'
import { elementCount } from '../../onnx/tensor-values.ts'

/**
 * A copy of a tensor with only some indices along some axes, whatever its element type (types below a byte are never channels).
 * @param kept for each axis the indices to keep in order; `undefined`: all
 */
export function takeIndices(tensor: TensorProto, kept: readonly (readonly number[] | undefined)[]): TensorProto {
  let current = tensor
  for (const [axis, indices] of kept.entries()) if (indices) current = takeAlong(current, axis, indices)
  return current
}

function takeAlong(tensor: TensorProto, axis: number, indices: readonly number[]): TensorProto {
  const dims = tensor.dims.map(Number)
  const length = dims[axis]!
  const inner = elementCount(dims.slice(axis + 1))
  const outer = elementCount(dims.slice(0, axis))
  const after = dims.with(axis, indices.length)
  const result = create(TensorProtoSchema, {
    name: tensor.name,
    dataType: tensor.dataType,
    dims: after.map(BigInt),
    docString: tensor.docString,
  })
  const list = typedList(tensor)
  if (list) {
    const taken: (number | bigint)[] = []
    for (let row = 0; row < outer; row++)
      for (const index of indices) for (let at = 0; at < inner; at++) taken.push(tensor[list][(row * length + index) * inner + at]!)
    Object.assign(result, { [list]: taken })
    return result
  }
  const size = elementBytes(tensor)
  const raw = new Uint8Array(elementCount(after) * size)
  const run = inner * size
  let to = 0
  for (let row = 0; row < outer; row++)
    for (const index of indices) {
      raw.set(tensor.rawData.subarray((row * length + index) * run, (row * length + index + 1) * run), to)
      to += run
    }
  result.rawData = raw
  return result
}

/** A copy of a floating point tensor whose values at those indices of an axis are zero. */
export function zeroIndices(tensor: TensorProto, axis: number, indices: readonly number[]): TensorProto {
  const dims = tensor.dims.map(Number)
  const length = dims[axis]!
  const inner = elementCount(dims.slice(axis + 1))
  const outer = elementCount(dims.slice(0, axis))
  const list = typedList(tensor)
  const result = create(TensorProtoSchema, { ...tensor, rawData: new Uint8Array(tensor.rawData) })
  if (list) Object.assign(result, { [list]: [...tensor[list]] })
  const size = list ? 0 : elementBytes(tensor)
  for (let row = 0; row < outer; row++)
    for (const index of indices) {
      const start = (row * length + index) * inner
      if (list) for (let at = start; at < start + inner; at++) result[list][at] = 0
      else result.rawData.fill(0, start * size, (start + inner) * size)
    }
  return result
}

/** Where a tensor keeps its floating point values when not in `raw_data`. */
function typedList(tensor: TensorProto): 'floatData' | 'doubleData' | 'int32Data' | undefined {
  return (['floatData', 'doubleData', 'int32Data'] as const).find((name) => tensor[name].length > 0)
}

function elementBytes(tensor: TensorProto): number {
  const size = storedBytes(tensor.dataType, 1)
  if (size === undefined || tensor.rawData.length !== elementCount(tensor.dims) * size)
    throw new Error(`tensor ${tensor.name} holds no channels`)
  return size
}
