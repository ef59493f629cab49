import { CoreError } from '../core-error.ts'
import { crc32 } from './crc32.ts'
import { DEFLATE_MAX_RATIO, InflateError, inflateExactly, inflateStart } from './inflate.ts'
import { DATASET_LIMITS } from './limits.ts'

/** True when the bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** A gzip file of one member, not unpacked yet. */
export interface GzipFile {
  /** Bytes it unpacks to, as its trailer says. */
  readonly size: number
  /** The first bytes, at most `length`. @throws CoreError `DATASET_INVALID` */
  start(length: number): Uint8Array
  /** All bytes, checked by their checksum. @throws CoreError `DATASET_INVALID` */
  unpack(): Uint8Array
}

/**
 * Reads header and trailer of a gzip file of one member. Source: RFC 1952.
 * @param file how messages call it
 * @throws CoreError `DATASET_INVALID` when it is damaged or cut off, `TOO_LARGE`
 */
export function openGzip(bytes: Uint8Array, file: string): GzipFile {
  const start = headerEnd(bytes)
  const end = bytes.length - 8
  if (start === undefined || end < start) throw damaged(file, `it is truncated (${bytes.length} bytes)`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(end + 4, true)
  // The last 4 bytes of a file that was cut off are anything but its size.
  if (size > (end - start) * DEFLATE_MAX_RATIO + 64) throw damaged(file, 'it is truncated, or its last bytes are damaged')
  if (size > DATASET_LIMITS.arrayBytes) {
    throw new CoreError('TOO_LARGE', `${file} unpacks to ${size} bytes, at most ${DATASET_LIMITS.arrayBytes} can be read.`, {
      details: { foundBytes: size, limitBytes: DATASET_LIMITS.arrayBytes },
    })
  }
  const inflate = (read: typeof inflateExactly, length: number) => {
    try {
      return read(bytes.subarray(start, end), length)
    } catch (error) {
      throw error instanceof InflateError ? damaged(file, `it is truncated or damaged: ${error.message}`) : error
    }
  }
  return {
    size,
    start: (length) => inflate(inflateStart, Math.min(length, size)),
    unpack: () => {
      const unpacked = inflate(inflateExactly, size)
      if (crc32(unpacked) !== view.getUint32(end, true)) throw damaged(file, 'its checksum (CRC-32) is wrong')
      return unpacked
    },
  }
}

/** Where the compressed data begins; `undefined` when the header is cut off or of an unknown kind. */
function headerEnd(bytes: Uint8Array): number | undefined {
  if (bytes.length < 18 || bytes[2] !== 8) return undefined
  const flags = bytes[3] as number
  let at = 10
  if (flags & 4) at += 2 + (bytes[at] as number) + 256 * (bytes[at + 1] as number)
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue
    const zero = bytes.indexOf(0, at)
    if (zero < 0) return undefined
    at = zero + 1
  }
  return flags & 2 ? at + 2 : at
}

function damaged(file: string, problem: string): CoreError {
  return new CoreError('DATASET_INVALID', `${file} cannot be read as gzip: ${problem}.`, { hint: 'Copy or download the file again.' })
}
