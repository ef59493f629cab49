import type { NumericArray, NumericType } from '../../../src/core/datasets/numeric-array.ts'
import { countOf } from '../../../src/core/datasets/numeric-array.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import type { Port } from '../../../src/core/inference-runtime.ts'

/** An array of these values; `shape` defaults to one dimension. */
export function array(
  name: string,
  type: NumericType,
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NumericArray {
  if (countOf(shape) !== values.length) throw new Error(`${values.length} values for [${shape.join()}]`)
  const typed = {
    bool: () => Uint8Array.from(values),
    int8: () => Int8Array.from(values),
    uint8: () => Uint8Array.from(values),
    int16: () => Int16Array.from(values),
    uint16: () => Uint16Array.from(values),
    int32: () => Int32Array.from(values),
    uint32: () => Uint32Array.from(values),
    int64: () => BigInt64Array.from(values, BigInt),
    uint64: () => BigUint64Array.from(values, BigInt),
    float16: () => Uint16Array.from(values, floatToHalf),
    float32: () => Float32Array.from(values),
    float64: () => Float64Array.from(values),
  }[type]()
  return { name, type, shape, bytes: new Uint8Array(typed.buffer) }
}

/** 0, 1, 2 … */
export function counting(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

export function port(name: string, type: Port['type'], ...shape: Port['shape']): Port {
  return { name, type, shape }
}
