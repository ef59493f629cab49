import type { TensorProto } from 'onnx-buf'
import { floatToHalf, HALF_MAX, HALF_TINY } from '../float16.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'

/** How many weights did not fit float16 and were moved to its limits. */
export interface ClampCounts {
  /** |w| above 65504. */
  tooLarge: number
  /** |w| below 2^-24, and not zero: kept at ±2^-24, because a divisor or a logarithm must not become zero. */
  tooSmall: number
}

/** A float32 tensor as float16; finite values are clamped to ±65504 and ±2^-24 and counted, NaN and infinity stay. */
export function halfTensor(tensor: TensorProto, name: string, counts: ClampCounts): TensorProto {
  const bits = Uint16Array.from(floatValues(tensor), (value) => floatToHalf(clamped(value, counts)))
  return makeTensor(name, 'float16', tensor.dims.map(Number), bits)
}

function clamped(value: number, counts: ClampCounts): number {
  const size = Math.abs(value)
  if (size > HALF_MAX && size < Number.POSITIVE_INFINITY) {
    counts.tooLarge++
    return Math.sign(value) * HALF_MAX
  }
  if (size < HALF_TINY && size > 0) {
    counts.tooSmall++
    return Math.sign(value) * HALF_TINY
  }
  return value
}
