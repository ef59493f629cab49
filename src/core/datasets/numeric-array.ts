import { halfToFloat } from '../float16.ts'

/** Element types that datasets are read in. */
export type NumericType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'

/** Elements as they are stored: float16 as its bits, bool as bytes. */
export type Elements =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** An array of a dataset: little-endian elements in row-major order, the samples along the first axis. */
export interface NumericArray {
  readonly name: string
  readonly type: NumericType
  readonly shape: readonly number[]
  /** Often a view into the file and not aligned: read it with {@link readElements}. */
  readonly bytes: Uint8Array
}

/** An array whose elements are read when they are asked for: a file, or rows of another array. */
export interface ArrayReader {
  readonly name: string
  readonly type: NumericType
  readonly shape: readonly number[]
  /**
   * Fills `target` (a whole number of elements) with stored elements from index `from` on, row-major and little-endian.
   * @throws CoreError or EdgesmithError when the file cannot be read any more
   */
  readInto(target: Uint8Array, from: number): void
}

/** An array in memory or one that is read piece by piece. */
export type SampleArray = NumericArray | ArrayReader

const widths: Readonly<Record<NumericType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
}

/** Bytes of one element. */
export function elementWidth(type: NumericType): number {
  return widths[type]
}

/** True for floating point types. */
export function isFloat(type: string): boolean {
  return type.startsWith('float')
}

/** Product of dimensions; 1 for none. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

/** Elements `from` … `from + count − 1` as an aligned copy. */
export function readElements(array: SampleArray, from: number, count: number): Elements {
  const bytes = new Uint8Array(count * elementWidth(array.type))
  readBytes(array, bytes, from)
  return overlay(array.type, bytes.buffer)
}

/** Fills `target` with stored elements from index `from` on. */
export function readBytes(array: SampleArray, target: Uint8Array, from: number): void {
  if (!('bytes' in array)) {
    array.readInto(target, from)
    return
  }
  const start = from * elementWidth(array.type)
  target.set(array.bytes.subarray(start, start + target.length))
}

/** A typed array of that element type over a whole buffer. */
export function overlay(type: NumericType, buffer: ArrayBuffer): Elements {
  switch (type) {
    case 'bool':
    case 'uint8':
      return new Uint8Array(buffer)
    case 'int8':
      return new Int8Array(buffer)
    case 'int16':
      return new Int16Array(buffer)
    case 'uint16':
    case 'float16':
      return new Uint16Array(buffer)
    case 'int32':
      return new Int32Array(buffer)
    case 'uint32':
      return new Uint32Array(buffer)
    case 'int64':
      return new BigInt64Array(buffer)
    case 'uint64':
      return new BigUint64Array(buffer)
    case 'float32':
      return new Float32Array(buffer)
    case 'float64':
      return new Float64Array(buffer)
  }
}

/** Elements looked at together; a copy of all of them would double the memory. */
const PIECE_ELEMENTS = 1 << 17

/** All elements piece by piece, each with the index of its first element. */
export function* pieces(array: SampleArray): Generator<{ readonly from: number; readonly elements: Elements }> {
  const count = countOf(array.shape)
  for (let from = 0; from < count; from += PIECE_ELEMENTS) {
    yield { from, elements: readElements(array, from, Math.min(PIECE_ELEMENTS, count - from)) }
  }
}

/** One stored element as a number (64-bit integers beyond 2^53 lose their last digits). */
export function toNumber(type: NumericType, element: number | bigint): number {
  return type === 'float16' ? halfToFloat(Number(element)) : Number(element)
}

/** "float32[2000,1,28,28]" */
export function arrayText(type: string, shape: readonly (number | string | undefined)[]): string {
  return `${type}[${shape.map((dim) => dim ?? '?').join(',')}]`
}
