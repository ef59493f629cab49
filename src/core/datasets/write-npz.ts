import { deflateSync } from 'fflate'
import { joinBytes } from '../join-bytes.ts'
import { crc32 } from './crc32.ts'
import { countOf, elementWidth, type NumericArray, type NumericType } from './numeric-array.ts'

const descrs: Readonly<Record<NumericType, string>> = {
  bool: '|b1',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
}

/** An array as the bytes of an .npy file, format version 1.0, the header padded as NumPy does. */
export function writeNpy(array: NumericArray): Uint8Array {
  const expected = countOf(array.shape) * elementWidth(array.type)
  if (array.bytes.length !== expected) throw new Error(`array ${array.name}: ${array.bytes.length} bytes, its shape needs ${expected}`)
  const header = npyHeader(array.type, array.shape)
  const bytes = new Uint8Array(header.length + array.bytes.length)
  bytes.set(header)
  bytes.set(array.bytes, header.length)
  return bytes
}

/**
 * Everything of an .npy file before its elements: magic, version 1.0, description, padding.
 * @param minLength at least so many bytes (a multiple of 64), where a longer shape may have to fit in later
 */
export function npyHeader(type: NumericType, shape: readonly number[], minLength = 0): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const literal = `{'descr': '${descrs[type]}', 'fortran_order': False, 'shape': (${dims}), }`
  // Elements begin at a multiple of 64, and a new line ends the header.
  const length = Math.max(minLength, Math.ceil((10 + literal.length + 1) / 64) * 64) - 10
  const bytes = new Uint8Array(10 + length)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8])
  bytes.set(new TextEncoder().encode(`${literal.padEnd(length - 1)}\n`), 10)
  return bytes
}

/**
 * Arrays as the bytes of an .npz; the same arrays give the same bytes (the date in the archive is 1980-01-01).
 * @param compress deflate the entries, as numpy.savez_compressed does
 */
export function writeNpz(arrays: readonly NumericArray[], { compress = true }: { readonly compress?: boolean } = {}): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const array of arrays) {
    const npy = writeNpy(array)
    const name = new TextEncoder().encode(`${array.name}.npy`)
    const body = compress ? deflateSync(npy, { level: 9 }) : npy
    // Fields that local header and directory share: version 2.0, UTF-8 names, method, date 1980-01-01, sizes, name length.
    const shared = new Uint8Array(26)
    const view = new DataView(shared.buffer)
    view.setUint16(0, 20, true)
    view.setUint16(2, 0x800, true)
    view.setUint16(4, compress ? 8 : 0, true)
    view.setUint16(8, 0x21, true)
    view.setUint32(10, crc32(npy), true)
    view.setUint32(14, body.length, true)
    view.setUint32(18, npy.length, true)
    view.setUint16(22, name.length, true)
    const local = [signature(0x04034b50), shared, name, body]
    const place = new Uint8Array(14)
    new DataView(place.buffer).setUint32(10, offset, true)
    directory.push(signature(0x02014b50), Uint8Array.of(20, 0), shared, place, name)
    parts.push(...local)
    offset += local.reduce((sum, part) => sum + part.length, 0)
  }
  const directorySize = directory.reduce((sum, part) => sum + part.length, 0)
  const end = new Uint8Array(22)
  const view = new DataView(end.buffer)
  view.setUint32(0, 0x06054b50, true)
  view.setUint16(8, arrays.length, true)
  view.setUint16(10, arrays.length, true)
  view.setUint32(12, directorySize, true)
  view.setUint32(16, offset, true)
  return joinBytes([...parts, ...directory, end])
}

function signature(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}
