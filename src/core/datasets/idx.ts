import { CoreError } from '../core-error.ts'
import { swapBytes } from './byte-order.ts'
import { isGzip, openGzip } from './gzip.ts'
import { DATASET_LIMITS } from './limits.ts'
import { countOf, elementWidth, type NumericArray, type NumericType } from './numeric-array.ts'

const types: ReadonlyMap<number, NumericType> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
])

/** Bytes of the longest header. */
export const IDX_HEADER_MAX = 4 + 4 * DATASET_LIMITS.rank

/** What the first bytes of an IDX file say. */
export interface IdxHeader {
  readonly type: NumericType
  readonly shape: readonly number[]
  /** Where the elements begin. */
  readonly offset: number
}

/** IDX images are bytes from 0 to 255 and mean 0 to 1, where nothing else is said. */
export const IDX_SCALE = 1 / 255

/**
 * Parses an IDX file (MNIST's format: `00 00 type rank`, dimensions as 32-bit, elements, all big-endian), also gzipped.
 * Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
 *
 * @param name how the array is called
 * @param file how messages call the file
 * @throws CoreError `DATASET_INVALID` naming file and byte, `TOO_LARGE`
 */
export function parseIdx(stored: Uint8Array, name: string, file: string): NumericArray {
  const packed = isGzip(stored) ? openGzip(stored, file) : undefined
  const { type, shape, offset } = parseIdxHeader(packed ? packed.start(IDX_HEADER_MAX) : stored.subarray(0, IDX_HEADER_MAX), file)
  const expected = countOf(shape) * elementWidth(type)
  // Compared before anything is unpacked: a small file must not announce a large array.
  const found = (packed?.size ?? stored.length) - offset
  if (found !== expected) {
    throw invalid(file, `its shape [${shape.join(',')}] and type ${type} need ${expected} bytes, found ${found}`, offset, {
      expected,
      found,
    })
  }
  const bytes = packed ? packed.unpack() : stored
  return { name, type, shape, bytes: swapBytes(bytes.subarray(offset), elementWidth(type)) }
}

/** @param bytes the first {@link IDX_HEADER_MAX} bytes, or the whole file. @throws CoreError `DATASET_INVALID` */
export function parseIdxHeader(bytes: Uint8Array, file: string): IdxHeader {
  if (bytes.length < 4) throw invalid(file, `it ends in its header after ${bytes.length} bytes`, bytes.length)
  const type = types.get(bytes[2] as number)
  if (bytes[0] !== 0 || bytes[1] !== 0 || !type) throw invalid(file, 'it does not begin like an IDX file', 0)
  const rank = bytes[3] as number
  if (rank < 1 || rank > DATASET_LIMITS.rank) throw invalid(file, `it has ${rank} dimensions, expected 1 to ${DATASET_LIMITS.rank}`, 3)
  const offset = 4 + 4 * rank
  if (bytes.length < offset) throw invalid(file, `it ends in its header after ${bytes.length} bytes`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { type, offset, shape: Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)) }
}

function invalid(file: string, problem: string, byte: number, details: Readonly<Record<string, unknown>> = {}): CoreError {
  return new CoreError('DATASET_INVALID', `${file} cannot be read: ${problem} (at byte ${byte}).`, {
    hint: 'An IDX file begins with 0, 0, the element type and the number of dimensions; download it again if it was cut off.',
    details: { byte, ...details },
  })
}
