import { CoreError } from '../core-error.ts'
import { crc32 } from './crc32.ts'
import { DEFLATE_MAX_RATIO, InflateError, inflateExactly } from './inflate.ts'
import { DATASET_LIMITS } from './limits.ts'

/** True when the bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Decompresses a gzip file of one member; the size in its trailer bounds the memory. Source: RFC 1952.
 * @param file how messages call it
 * @throws CoreError `DATASET_INVALID` when it is damaged or cut off, `TOO_LARGE`
 */
export function gunzip(bytes: Uint8Array, file: string): Uint8Array {
  const start = headerEnd(bytes)
  const end = bytes.length - 8
  if (start === undefined || end < start) throw damaged(file, `it is truncated (${bytes.length} bytes)`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(end + 4, true)
  if (size > DATASET_LIMITS.arrayBytes) {
    throw new CoreError('TOO_LARGE', `${file} unpacks to ${size} bytes, at most ${DATASET_LIMITS.arrayBytes} can be read.`, {
      details: { foundBytes: size, limitBytes: DATASET_LIMITS.arrayBytes },
    })
  }
  // The last 4 bytes of a file that was cut off are not its size, so this is where most truncation shows.
  if (size > (end - start) * DEFLATE_MAX_RATIO + 64) throw damaged(file, 'it is truncated, or its last bytes are damaged')
  let unpacked: Uint8Array
  try {
    unpacked = inflateExactly(bytes.subarray(start, end), size)
  } catch (error) {
    throw error instanceof InflateError ? damaged(file, `it is truncated or damaged: ${error.message}`) : error
  }
  if (crc32(unpacked) !== view.getUint32(end, true)) throw damaged(file, 'its checksum (CRC-32) is wrong')
  return unpacked
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
