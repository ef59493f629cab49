import { CoreError } from '../core-error.ts'
import { gunzip, isGzip } from './gzip.ts'
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

/**
 * Parses an IDX file (MNIST's format: `00 00 type rank`, dimensions as 32-bit, elements, all big-endian), also gzipped.
 * Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
 *
 * @param name how the array is called
 * @param file how messages call the file
 * @throws CoreError `DATASET_INVALID` naming file and byte, `TOO_LARGE`
 */
export function parseIdx(stored: Uint8Array, name: string, file: string): NumericArray {
  const bytes = isGzip(stored) ? gunzip(stored, file) : stored
  const invalid = (problem: string, byte: number, details: Readonly<Record<string, unknown>> = {}) =>
    new CoreError('DATASET_INVALID', `${file} cannot be read: ${problem} (at byte ${byte}).`, {
      hint: 'An IDX file begins with 0, 0, the element type and the number of dimensions; download it again if it was cut off.',
      details: { byte, ...details },
    })
  if (bytes.length < 4) throw invalid(`it ends in its header after ${bytes.length} bytes`, bytes.length)
  const type = types.get(bytes[2] as number)
  if (bytes[0] !== 0 || bytes[1] !== 0 || !type) throw invalid('it does not begin like an IDX file', 0)
  const rank = bytes[3] as number
  if (rank < 1 || rank > DATASET_LIMITS.rank) throw invalid(`it has ${rank} dimensions, expected 1 to ${DATASET_LIMITS.rank}`, 3)
  const offset = 4 + 4 * rank
  if (bytes.length < offset) throw invalid(`it ends in its header after ${bytes.length} bytes`, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const expected = countOf(shape) * elementWidth(type)
  const found = bytes.length - offset
  if (found !== expected) {
    throw invalid(`its shape [${shape.join(',')}] and type ${type} need ${expected} bytes, found ${found}`, offset, { expected, found })
  }
  return { name, type, shape, bytes: littleEndian(bytes.subarray(offset), elementWidth(type)) }
}

function littleEndian(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 1) return bytes
  const swapped = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += width) {
    for (let index = 0; index < width; index++) swapped[at + index] = bytes[at + width - 1 - index] as number
  }
  return swapped
}
