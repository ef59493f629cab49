import type { TensorProto } from 'onnx-buf'
import { elementTypeName } from './data-types.ts'
import type { OpCall } from './op-call.ts'
import { isExternal } from './payload.ts'
import type { Dim, Shape, TensorFact } from './shapes.ts'
import { elementCount, floatValues, integerValues } from './tensor-values.ts'

/**
 * Elements above which a constant is not followed: shapes, axes, pads and scales have at most a few dozen.
 */
export const FOLLOWED_ELEMENTS = 512

const followedTypes: ReadonlySet<string> = new Set(['int64', 'int32', 'int16', 'int8', 'uint8', 'bool', 'float32', 'float64', 'float16'])

/** What is known of an initializer or a Constant's tensor; its values are only decoded when somebody asks. */
export function tensorFact(tensor: TensorProto): TensorFact {
  const type = elementTypeName(tensor.dataType)
  const shape: Shape = tensor.dims.map(Number)
  const followed = type !== undefined && followedTypes.has(type) && elementCount(tensor.dims) <= FOLLOWED_ELEMENTS && !isExternal(tensor)
  if (!followed) return { type, shape }
  let values: readonly Dim[] | undefined
  return {
    type,
    shape,
    get values() {
      values ??= type.startsWith('float') ? Array.from(floatValues(tensor)) : integerValues(tensor)
      return values
    },
  }
}

/** What a Constant node gives: a tensor, or numbers written as attributes. */
export function constantNodeFact(call: OpCall): TensorFact {
  const tensor = call.attribute('value')?.t
  if (tensor) return tensorFact(tensor)
  const int = call.attribute('value_int')
  if (int) return { type: 'int64', shape: [], values: [Number(int.i)] }
  const ints = call.ints('value_ints')
  if (ints) return { type: 'int64', shape: [ints.length], values: ints.length <= FOLLOWED_ELEMENTS ? ints : undefined }
  const float = call.attribute('value_float')
  if (float) return { type: 'float32', shape: [], values: [float.f] }
  const floats = call.attribute('value_floats')?.floats
  if (floats) return { type: 'float32', shape: [floats.length], values: floats.length <= FOLLOWED_ELEMENTS ? floats : undefined }
  const text = call.attribute('value_string')
  if (text) return { type: 'string', shape: [] }
  const texts = call.attribute('value_strings')
  return texts ? { type: 'string', shape: [texts.strings.length] } : {}
}
