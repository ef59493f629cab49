import { floatToHalf, halfToFloat } from '../../core/float16.ts'
import type { TensorValues } from '../../core/inference-runtime.ts'
import type { ElementType } from '../../core/onnx/data-types.ts'

/** How values of an element type come out of JSON and go back into it. */
export interface ElementFormat {
  /** What a value must be, for messages. */
  readonly expected: string
  /** The same as a JSON schema. */
  readonly schema: Readonly<Record<string, unknown>>
  make(count: number): TensorValues
  /** Stores a JSON value; false when the type cannot hold it. */
  put(values: TensorValues, index: number, value: unknown): boolean
  /** Stores a list from `index` on, up to the first value the type cannot hold; answers how many were stored. Only where it is much faster. */
  putList?(values: TensorValues, index: number, list: readonly unknown[]): number
}

const FLOAT32_MAX = 3.4028234663852886e38
/** Halfway between the largest half and the next step: from here on rounding gives infinity. */
const HALF_OVERFLOW = 65520

type NumberArray = Exclude<TensorValues, BigInt64Array | BigUint64Array | readonly string[]>

function floats(make: (count: number) => NumberArray, limit: number, store: (value: number) => number = (value) => value): ElementFormat {
  return {
    expected: 'a number',
    schema: limit === Number.MAX_VALUE ? { type: 'number' } : { type: 'number', minimum: -limit, maximum: limit },
    make,
    put: (values, index, value) => {
      // JSON has no NaN, but 1e999 parses as infinity.
      if (typeof value !== 'number' || !(Math.abs(value) <= limit)) return false
      ;(values as NumberArray)[index] = store(value)
      return true
    },
  }
}

/** What nearly all requests hold: one loop over one type of array, instead of a call for each value. */
function putFloats(values: TensorValues, index: number, list: readonly unknown[]): number {
  const floats32 = values as Float32Array
  for (let i = 0; i < list.length; i++) {
    const value = list[i]
    if (typeof value !== 'number' || !(value <= FLOAT32_MAX && value >= -FLOAT32_MAX)) return i
    floats32[index + i] = value
  }
  return list.length
}

function integers(make: (count: number) => NumberArray, min: number, max: number): ElementFormat {
  return {
    expected: `a whole number from ${min} to ${max}`,
    schema: { type: 'integer', minimum: min, maximum: max },
    make,
    put: (values, index, value) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) return false
      ;(values as NumberArray)[index] = value
      return true
    },
  }
}

function bigIntegers(make: (count: number) => BigInt64Array | BigUint64Array, min: number): ElementFormat {
  return {
    // Beyond 2⁵³ a JSON number has already lost digits when it arrives here.
    expected: `a whole number from ${min} to ${Number.MAX_SAFE_INTEGER}`,
    schema: { type: 'integer', minimum: min, maximum: Number.MAX_SAFE_INTEGER },
    make,
    put: (values, index, value) => {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) return false
      ;(values as BigInt64Array)[index] = BigInt(value)
      return true
    },
  }
}

/** Types that can be sent and answered as JSON. */
export const elementFormats: Partial<Readonly<Record<ElementType, ElementFormat>>> = {
  float32: { ...floats((count) => new Float32Array(count), FLOAT32_MAX), putList: putFloats },
  float64: floats((count) => new Float64Array(count), Number.MAX_VALUE),
  float16: floats((count) => new Uint16Array(count), HALF_OVERFLOW - 1e-6, floatToHalf),
  int8: integers((count) => new Int8Array(count), -128, 127),
  uint8: integers((count) => new Uint8Array(count), 0, 255),
  int16: integers((count) => new Int16Array(count), -32768, 32767),
  uint16: integers((count) => new Uint16Array(count), 0, 65535),
  int32: integers((count) => new Int32Array(count), -2147483648, 2147483647),
  uint32: integers((count) => new Uint32Array(count), 0, 4294967295),
  int64: bigIntegers((count) => new BigInt64Array(count), -Number.MAX_SAFE_INTEGER),
  uint64: bigIntegers((count) => new BigUint64Array(count), 0),
  bool: {
    expected: 'true or false',
    schema: { enum: [true, false, 0, 1] },
    make: (count) => new Uint8Array(count),
    put: (values, index, value) => {
      if (value !== true && value !== false && value !== 0 && value !== 1) return false
      ;(values as Uint8Array)[index] = Number(value)
      return true
    },
  },
  string: {
    expected: 'a string',
    schema: { type: 'string' },
    make: (count) => new Array<string>(count).fill(''),
    put: (values, index, value) => {
      if (typeof value !== 'string') return false
      ;(values as string[])[index] = value
      return true
    },
  },
}

/** JSON schema of one value of an output of that type, as `jsonValue` gives it. */
export function jsonValueSchema(type: ElementType): Readonly<Record<string, unknown>> {
  if (type === 'bool') return { type: 'boolean' }
  if (type === 'string') return { type: 'string' }
  // Beyond 2⁵³ as a string of digits.
  if (type === 'int64' || type === 'uint64') return { type: ['integer', 'string'], pattern: '^-?[0-9]+$' }
  return type.startsWith('float') ? { type: ['number', 'null'] } : { type: 'integer' }
}

/** One value of a tensor for JSON: NaN and infinities become null, integers too long for a JSON number a string. */
export function jsonValue(type: ElementType, values: TensorValues, index: number): number | string | boolean | null {
  const value = values[index]
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value !== 'number') return value ?? null
  if (type === 'bool') return value !== 0
  const number = type === 'float16' ? halfToFloat(value) : value
  return Number.isFinite(number) ? number : null
}
