import { create } from '@bufbuild/protobuf'
import { type TensorProto, TensorProtoSchema } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { floatToHalf } from '../float16.ts'
import type { RuntimeTensor, TensorValues } from '../inference-runtime.ts'
import { type ElementType, elementTypeNumber } from '../onnx/data-types.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { elementCount } from '../onnx/tensor-values.ts'
import type { TensorFacts } from '../quantization/tensor-facts.ts'

/** Values one fixed input may have: they are stored in the model. */
const MOST_VALUES = 2 ** 24

type NumericArray = Exclude<TensorValues, readonly string[]>

/** Whole numbers a type holds. */
const RANGES: Partial<Record<ElementType, readonly [min: number, max: number]>> = {
  bool: [0, 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 53), 2 ** 53],
  uint64: [0, 2 ** 53],
}

/**
 * One value in the type and shape of a model input.
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when a dimension of the input is open, or its type cannot hold the value
 */
export function fixedTensor(name: string, value: number, { type, shape }: TensorFacts): RuntimeTensor {
  const dims = shape.map((dim) => {
    if (typeof dim === 'number') return dim
    const shown = shape.map((entry) => entry ?? '?').join(',')
    throw notFixable(name, value, `its shape [${shown}] is open, so it is not known how many values it needs`)
  })
  const count = elementCount(dims)
  if (!(count <= MOST_VALUES)) throw notFixable(name, value, `its ${count} values would be stored in the model`)
  const range = RANGES[type]
  if (range && (!Number.isInteger(value) || value < range[0] || value > range[1]))
    throw notFixable(name, value, `its type ${type} holds whole numbers from ${range[0]} to ${range[1]}`)
  const values = filled(type, count, value)
  if (!values) throw notFixable(name, value, `its type is ${type}`)
  return { type, dims, values }
}

/** The same as an initializer. */
export function fixedInitializer(name: string, { type, dims, values }: RuntimeTensor): TensorProto {
  const { buffer, byteOffset, byteLength } = values as NumericArray
  const rawData = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
  return create(TensorProtoSchema, { name, dataType: elementTypeNumber(type), dims: dims.map(BigInt), rawData })
}

function filled(type: ElementType, count: number, value: number): NumericArray | undefined {
  switch (type) {
    case 'float32':
      return new Float32Array(count).fill(value)
    case 'float64':
      return new Float64Array(count).fill(value)
    case 'float16':
      return new Uint16Array(count).fill(floatToHalf(value))
    case 'int64':
      return new BigInt64Array(count).fill(BigInt(value))
    case 'uint64':
      return new BigUint64Array(count).fill(BigInt(value))
    case 'int32':
      return new Int32Array(count).fill(value)
    case 'uint32':
      return new Uint32Array(count).fill(value)
    case 'int16':
      return new Int16Array(count).fill(value)
    case 'uint16':
      return new Uint16Array(count).fill(value)
    case 'int8':
      return new Int8Array(count).fill(value)
    case 'uint8':
    case 'bool':
      return new Uint8Array(count).fill(value)
    default:
      return undefined
  }
}

function notFixable(name: string, value: number, reason: string): CoreError {
  return new CoreError('RECIPE_NOT_APPLICABLE', `Input ${quoteName(name)} cannot be fixed to ${value}: ${reason}.`, {
    details: { input: name.slice(0, 1000), value },
  })
}
