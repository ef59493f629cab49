import { create } from '@bufbuild/protobuf'
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { halfToFloat } from '../float16.ts'
import { type ElementType, elementTypeName, elementTypeNumber, storedBytes } from './data-types.ts'

/** Number of elements of a tensor with these dimensions (1 for a scalar). */
export function elementCount(dims: readonly (number | bigint)[]): number {
  let count = 1
  for (const dim of dims) count *= Number(dim)
  return count
}

/**
 * Values of a float tensor (float32, float64, float16) as float32, copied so that they are aligned and writable.
 * @throws CoreError `TENSOR_INVALID` for another element type, external data, or a length that does not fit the shape
 */
export function floatValues(tensor: TensorProto): Float32Array {
  const count = checkedCount(tensor)
  switch (tensor.dataType) {
    case TensorProto_DataType.FLOAT:
      return tensor.floatData.length > 0 ? Float32Array.from(tensor.floatData) : new Float32Array(rawBytes(tensor, count))
    case TensorProto_DataType.DOUBLE:
      return Float32Array.from(tensor.doubleData.length > 0 ? tensor.doubleData : new Float64Array(rawBytes(tensor, count)))
    case TensorProto_DataType.FLOAT16: {
      const bits = tensor.int32Data.length > 0 ? Uint16Array.from(tensor.int32Data) : new Uint16Array(rawBytes(tensor, count))
      return Float32Array.from(bits, halfToFloat)
    }
    default:
      throw invalid(tensor, `holds ${elementTypeName(tensor.dataType) ?? `type ${tensor.dataType}`}, expected floating point values`)
  }
}

/**
 * Values of an integer tensor (int64, int32, uint8, int8, bool …) as numbers.
 * @throws CoreError `TENSOR_INVALID` for another element type, external data, or a length that does not fit the shape
 */
export function integerValues(tensor: TensorProto): number[] {
  const count = checkedCount(tensor)
  const D = TensorProto_DataType
  switch (tensor.dataType) {
    case D.INT64:
      return Array.from(tensor.int64Data.length > 0 ? tensor.int64Data : new BigInt64Array(rawBytes(tensor, count)), Number)
    case D.UINT64:
      return Array.from(tensor.uint64Data.length > 0 ? tensor.uint64Data : new BigUint64Array(rawBytes(tensor, count)), Number)
    case D.UINT32:
      return Array.from(tensor.uint64Data.length > 0 ? tensor.uint64Data : new Uint32Array(rawBytes(tensor, count)), Number)
    default:
  }
  if (tensor.int32Data.length > 0) return [...tensor.int32Data]
  const raw = rawBytes(tensor, count)
  switch (tensor.dataType) {
    case D.INT32:
      return [...new Int32Array(raw)]
    case D.INT16:
      return [...new Int16Array(raw)]
    case D.UINT16:
      return [...new Uint16Array(raw)]
    case D.INT8:
      return [...new Int8Array(raw)]
    case D.UINT8:
    case D.BOOL:
      return [...new Uint8Array(raw)]
    default:
      throw invalid(tensor, `holds ${elementTypeName(tensor.dataType) ?? `type ${tensor.dataType}`}, expected integers`)
  }
}

/** A tensor with `raw_data`; `values` are the elements in row-major order, little-endian like every platform we run on. */
export function makeTensor(
  name: string,
  type: ElementType,
  dims: readonly number[],
  values: Float32Array | Float64Array | Int8Array | Uint8Array | Uint16Array | Int32Array | BigInt64Array,
): TensorProto {
  const dataType = elementTypeNumber(type)
  const expected = storedBytes(dataType, elementCount(dims))
  if (expected !== values.byteLength) throw new Error(`tensor ${name}: ${values.byteLength} bytes do not fill ${type}[${dims.join(',')}]`)
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice()
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData })
}

/** An int64 tensor, the type ONNX uses for shapes, axes and indices. */
export function makeInt64(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return makeTensor(name, 'int64', dims, BigInt64Array.from(values, BigInt))
}

function checkedCount(tensor: TensorProto): number {
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) throw invalid(tensor, 'keeps its values in an external file')
  const count = elementCount(tensor.dims)
  if (!Number.isSafeInteger(count) || count < 0) throw invalid(tensor, `has the impossible shape [${tensor.dims.join(',')}]`)
  const typed =
    tensor.floatData.length + tensor.int32Data.length + tensor.int64Data.length + tensor.doubleData.length + tensor.uint64Data.length
  if (typed > 0 && typed !== count) throw invalid(tensor, `has ${typed} values, its shape [${tensor.dims.join(',')}] needs ${count}`)
  return count
}

/** `raw_data` as an aligned copy; protobuf views are not aligned, so typed arrays cannot be laid over them. */
function rawBytes(tensor: TensorProto, count: number): ArrayBuffer {
  const expected = storedBytes(tensor.dataType, count)
  if (expected !== tensor.rawData.byteLength) {
    throw invalid(tensor, `has ${tensor.rawData.byteLength} bytes, its shape [${tensor.dims.join(',')}] needs ${expected ?? 'strings'}`)
  }
  // Not rawData.slice(): for a Node.js Buffer that is a view, not a copy.
  return new Uint8Array(tensor.rawData).buffer
}

function invalid(tensor: TensorProto, problem: string): CoreError {
  return new CoreError('TENSOR_INVALID', `Tensor "${tensor.name}" ${problem}.`)
}
