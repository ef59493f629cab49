import { clearField } from '@bufbuild/protobuf'
import { TensorProto_DataType as T, type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { elementTypeName, storedBytes } from './data-types.ts'
import { MODEL_LIMITS } from './limits.ts'
import { quoteName } from './quote-name.ts'

type TypedField = 'floatData' | 'int32Data' | 'int64Data' | 'uint64Data' | 'doubleData' | 'stringData'

/** The typed list that holds a data type where `raw_data` does not. Source: onnx.proto, TensorProto. */
const typedFields: ReadonlyMap<number, TypedField> = new Map<number, TypedField>([
  [T.FLOAT, 'floatData'],
  [T.COMPLEX64, 'floatData'],
  [T.DOUBLE, 'doubleData'],
  [T.COMPLEX128, 'doubleData'],
  [T.INT64, 'int64Data'],
  [T.UINT64, 'uint64Data'],
  [T.UINT32, 'uint64Data'],
  [T.STRING, 'stringData'],
])

/** True when the tensor keeps its values in another file. */
export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === TensorProto_DataLocation.EXTERNAL
}

/** Gives an external tensor its values, as if they had always been in the file. */
export function embedValues(tensor: TensorProto, bytes: Uint8Array<ArrayBuffer>): void {
  tensor.rawData = bytes
  tensor.externalData = []
  // Cleared, not set to DEFAULT: that would be written as a field of its own.
  clearField(tensor, TensorProtoSchema.field.dataLocation)
}

/**
 * Elements a tensor's shape stands for.
 * @throws CoreError `TENSOR_INVALID` for negative or too many dimensions, or a product beyond 2^53
 */
export function checkedElementCount(tensor: TensorProto, where = 'Tensor'): number {
  if (tensor.dims.length > MODEL_LIMITS.rank)
    throw invalid(tensor, where, `has ${tensor.dims.length} dimensions, at most ${MODEL_LIMITS.rank} are allowed`)
  let count = 1
  for (const dim of tensor.dims) {
    if (dim < 0n) throw invalid(tensor, where, `has the negative dimension ${dim} in its shape ${shapeText(tensor)}`)
    count *= Number(dim)
  }
  if (!Number.isSafeInteger(count)) throw invalid(tensor, where, `has the impossible shape ${shapeText(tensor)}`)
  return count
}

/** Bytes a tensor's values take in `raw_data` or an external file; `undefined` for strings. @throws CoreError `TENSOR_INVALID` */
export function expectedBytes(tensor: TensorProto, where = 'Tensor'): number | undefined {
  return storedBytes(tensor.dataType, checkedElementCount(tensor, where))
}

/**
 * Checks that a tensor has a known type, a possible shape, and exactly the values its shape needs. External tensors are checked but
 * for their values.
 *
 * @param where how the message calls it ("Initializer", "Attribute value of node …")
 * @throws CoreError `TENSOR_INVALID` naming the tensor, what was expected and what was found
 */
export function checkPayload(tensor: TensorProto, where = 'Tensor'): void {
  const { dataType } = tensor
  const type = elementTypeName(dataType)
  if (type === undefined) throw invalid(tensor, where, `has the unknown element type ${dataType}`)
  const elements = checkedElementCount(tensor, where)
  if (tensor.segment) throw invalid(tensor, where, 'is split into segments, which ONNX Runtime cannot read')
  if (isExternal(tensor)) {
    if (dataType === T.STRING) throw invalid(tensor, where, 'keeps strings in an external file, which ONNX does not allow')
    return
  }
  const bytes = storedBytes(dataType, elements)
  const field = typedFields.get(dataType) ?? 'int32Data'
  if (tensor.rawData.length > 0) {
    if (bytes !== tensor.rawData.length) {
      const expected = bytes === undefined ? 'strings, not raw bytes' : `${bytes} bytes`
      throw invalid(
        tensor,
        where,
        `of type ${type} and shape ${shapeText(tensor)} needs ${expected}, found ${tensor.rawData.length} bytes`,
        {
          expected: bytes,
          found: tensor.rawData.length,
        },
      )
    }
    if (tensor[field].length > 0) throw invalid(tensor, where, 'has its values twice, as raw bytes and as a list')
    return
  }
  const expected = listLength(dataType, elements)
  const found = tensor[field].length
  if (found !== expected) {
    const others = otherLists(tensor, field)
    throw invalid(
      tensor,
      where,
      `of type ${type} and shape ${shapeText(tensor)} needs ${expected} values, found ${found}${others ? ` (there are values in ${others}, which is for other types)` : ''}`,
      { expected, found },
    )
  }
}

/** Entries of the typed list: complex numbers take two, types below a byte are packed into bytes. */
function listLength(dataType: number, elements: number): number {
  switch (dataType) {
    case T.COMPLEX64:
    case T.COMPLEX128:
      return 2 * elements
    case T.INT4:
    case T.UINT4:
    case T.FLOAT4E2M1:
    case T.INT2:
    case T.UINT2:
      return storedBytes(dataType, elements) ?? elements
    default:
      return elements
  }
}

function otherLists(tensor: TensorProto, field: TypedField): string {
  const lists: readonly TypedField[] = ['floatData', 'int32Data', 'int64Data', 'uint64Data', 'doubleData', 'stringData']
  return lists.filter((list) => list !== field && tensor[list].length > 0).join(', ')
}

function shapeText(tensor: TensorProto): string {
  const shown = tensor.dims.slice(0, 16).join(',')
  return `[${shown}${tensor.dims.length > 16 ? ',…' : ''}]`
}

function invalid(tensor: TensorProto, where: string, problem: string, sizes?: { expected: number | undefined; found: number }): CoreError {
  return new CoreError('TENSOR_INVALID', `${where} ${quoteName(tensor.name)} ${problem}.`, {
    hint: 'The file is damaged or was written by a faulty program; export the model again.',
    details: { tensor: tensor.name.slice(0, 1000), ...sizes },
  })
}
