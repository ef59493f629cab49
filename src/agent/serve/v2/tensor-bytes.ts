import { isUtf8 } from 'node:buffer'
import type { TensorValues } from '../../../core/inference-runtime.ts'
import type { ElementType } from '../../../core/onnx/data-types.ts'
import { HttpError } from '../http-error.ts'

/** Element types that the protocol knows, by our name. Source: Open Inference Protocol, "Tensor Data Types". */
export const datatypes: Partial<Readonly<Record<ElementType, string>>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  bfloat16: 'BF16',
  string: 'BYTES',
}

type TypedValues = Exclude<TensorValues, readonly string[]>

interface ArrayKind {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset: number, length: number): TypedValues
}

const arrayKinds: Partial<Readonly<Record<ElementType, ArrayKind>>> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
}

/** Of the length before each element of a BYTES tensor. */
const LENGTH_BYTES = 4

/**
 * Reads a tensor of the binary extension: little-endian, row-major, no padding; a BYTES element is its length in 4 bytes and then itself, in UTF-8.
 *
 * @param count values there must be
 * @param path how messages call the tensor
 * @returns values over the same memory where it lies right for them
 * @throws HttpError `INVALID_INPUT` for sizes that do not fit, and for values that are no numbers
 */
export function tensorFromBytes(type: ElementType, bytes: Uint8Array, count: number, path: string): TensorValues {
  if (type === 'string') return stringsFromBytes(bytes, count, path)
  const Kind = arrayKinds[type]
  if (!Kind) throw new HttpError('INVALID_INPUT', `${path} takes ${type} values, which this service cannot receive.`)
  const size = count * Kind.BYTES_PER_ELEMENT
  if (bytes.length !== size) throw new HttpError('INVALID_INPUT', `${path} needs ${size} bytes for its shape, found ${bytes.length}.`)
  const lies = bytes.byteOffset % Kind.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  const values = new Kind(lies.buffer, lies.byteOffset, count)
  const wrong = firstUnusable(type, values)
  if (wrong >= 0)
    throw new HttpError(
      'INVALID_INPUT',
      `${path}: value ${wrong} (counted from 0) is not ${type === 'bool' ? '0 or 1' : 'a finite number'}.`,
    )
  return values
}

/** Index of the first value that must not reach a model, −1 for none. */
function firstUnusable(type: ElementType, values: TypedValues): number {
  if (values instanceof Float32Array) return firstNotFinite(values)
  if (values instanceof Float64Array) {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  } else if (type === 'float16') {
    // All bits of the exponent: infinity or NaN.
    for (let i = 0; i < values.length; i++) if ((Number(values[i]) & 0x7c00) === 0x7c00) return i
  } else if (type === 'bool') {
    for (let i = 0; i < values.length; i++) if (Number(values[i]) > 1) return i
  }
  return -1
}

/** By itself: a loop over one type of array runs several times as fast. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}

function stringsFromBytes(bytes: Uint8Array, count: number, path: string): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const values: string[] = []
  let next = 0
  // Each takes 4 bytes at least: `count` cannot make this loop longer than the body.
  while (next < buffer.length && values.length < count) {
    const end = next + LENGTH_BYTES <= buffer.length ? next + LENGTH_BYTES + buffer.readUInt32LE(next) : Number.POSITIVE_INFINITY
    if (end > buffer.length)
      throw new HttpError('INVALID_INPUT', `${path}: element ${values.length} is longer than the bytes that are left.`)
    const element = buffer.subarray(next + LENGTH_BYTES, end)
    if (!isUtf8(element)) throw new HttpError('INVALID_INPUT', `${path}: element ${values.length} is not UTF-8 text.`)
    values.push(element.toString('utf8'))
    next = end
  }
  if (values.length === count && next === buffer.length) return values
  throw new HttpError(
    'INVALID_INPUT',
    `${path} needs ${count} elements for its shape, found ${values.length} in ${next} of ${buffer.length} bytes.`,
  )
}

/** The tensor's bytes in the binary extension. */
export function tensorToBytes(values: TensorValues): Uint8Array {
  if (!Array.isArray(values)) {
    const { buffer, byteOffset, byteLength } = values as TypedValues
    return new Uint8Array(buffer, byteOffset, byteLength)
  }
  return Buffer.concat(
    (values as readonly string[]).flatMap((value) => {
      const text = Buffer.from(value, 'utf8')
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32LE(text.length)
      return [length, text]
    }),
  )
}
