import { TensorProto_DataType as T, type TensorProto } from 'onnx-buf'
import { isExternal } from './payload.ts'
import type { Weight } from './weights.ts'

/** Elements decoded at a time: raw tensor data lies unaligned in the file, and a copy of all of it would double the memory. */
const CHUNK_BYTES = 1 << 20

/**
 * Elements of a weight that stand for exactly zero (also -0; for quantized weights the zero point), and elements looked at.
 * `undefined` for types that are not counted, external values and weights below two dimensions.
 */
export function countZeros({ tensor, elements, zero }: Weight): { readonly zeros: number; readonly of: number } | undefined {
  if (tensor.dims.length < 2 || isExternal(tensor) || !zero) return undefined
  const isZero = zeroTest(tensor, zero)
  if (!isZero) return undefined
  let zeros = 0
  let index = 0
  for (const part of parts(tensor)) {
    for (const value of part) {
      if (isZero(value, index)) zeros++
      index++
    }
  }
  return { zeros, of: elements }
}

function zeroTest(
  tensor: TensorProto,
  { points, axis }: NonNullable<Weight['zero']>,
): ((value: number, index: number) => boolean) | undefined {
  switch (tensor.dataType) {
    case T.FLOAT:
    case T.DOUBLE:
      return (value) => value === 0
    case T.FLOAT16:
    case T.BFLOAT16:
      return (bits) => (bits & 0x7fff) === 0
    case T.INT8:
    case T.UINT8: {
      if (points.length === 1) return (value) => value === points[0]
      const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * Number(dim), 1)
      return (value, index) => value === points[Math.floor(index / inner) % points.length]
    }
    default:
      return undefined
  }
}

/** The stored numbers piece by piece: values, or the bits of 16-bit floats. */
function* parts(tensor: TensorProto): Generator<ArrayLike<number> & Iterable<number>> {
  const { rawData, dataType } = tensor
  if (rawData.length === 0) {
    yield dataType === T.FLOAT ? tensor.floatData : dataType === T.DOUBLE ? tensor.doubleData : tensor.int32Data
    return
  }
  for (let from = 0; from < rawData.length; from += CHUNK_BYTES) {
    const bytes = new Uint8Array(rawData.subarray(from, from + CHUNK_BYTES))
    switch (dataType) {
      case T.FLOAT:
        yield new Float32Array(bytes.buffer)
        break
      case T.DOUBLE:
        yield new Float64Array(bytes.buffer)
        break
      case T.INT8:
        yield new Int8Array(bytes.buffer)
        break
      case T.UINT8:
        yield bytes
        break
      default:
        yield new Uint16Array(bytes.buffer)
    }
  }
}
