import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { EdgesmithError } from '../contract/errors.ts'

/** One file of a tar stream. */
export interface TarEntry {
  /** At most 100 ASCII characters. */
  readonly name: string
  readonly sizeBytes: number
  /** Opens the content, exactly `sizeBytes` long. */
  open(): AsyncIterable<Buffer>
}

const blockSize = 512
/** Eleven octal digits. Larger files would need an extension that old tar programs do not know. */
const largestEntry = 8 ** 11 - 1

/**
 * The header block of a regular file, owner 0, moment 0: nothing of this computer goes along.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format".
 * @throws EdgesmithError TOO_LARGE beyond 8 GiB
 */
export function tarHeader(name: string, sizeBytes: number, mode = 0o600): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new Error(`not a name for a tar entry: ${name}`)
  if (sizeBytes > largestEntry) {
    throw new EdgesmithError('TOO_LARGE', `A file of ${sizeBytes} bytes cannot be sent: the limit is ${largestEntry} bytes`)
  }
  const header = Buffer.alloc(blockSize)
  const octal = (value: number, offset: number, digits: number) => header.write(value.toString(8).padStart(digits, '0'), offset, 'latin1')
  header.write(name, 0, 'latin1')
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(sizeBytes, 124, 11)
  octal(0, 136, 11)
  header.write('        ', 148, 'latin1')
  header.write('0', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  octal(checksum, 148, 6)
  header.write('\0 ', 154, 'latin1')
  return header
}

/** Length of the whole stream of {@link writeTar}. */
export function tarSizeBytes(entries: readonly TarEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + blockSize + Math.ceil(sizeBytes / blockSize) * blockSize, 2 * blockSize)
}

/**
 * Writes a tar stream at the pace of its reader and leaves `out` open. Stops silently once `out` was destroyed or `isStopped` says so:
 * whoever reads it has more to say about why.
 * @param onBytes gets the number of bytes written with every piece
 * @throws EdgesmithError FILE_UNREADABLE when a file has not the size it was announced with
 */
export async function writeTar(
  out: Writable,
  entries: readonly TarEntry[],
  stop: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const write = async (piece: Buffer): Promise<boolean> => {
    if (stop.aborted) return false
    const goOn = out.write(piece)
    onBytes(piece.length)
    if (!goOn) await once(out, 'drain', { signal: stop }).catch(() => undefined)
    return !stop.aborted
  }
  for (const entry of entries) {
    if (!(await write(tarHeader(entry.name, entry.sizeBytes)))) return
    let left = entry.sizeBytes
    // Leaving the loop early ends the stream behind it.
    for await (const piece of entry.open()) {
      left -= piece.length
      if (left < 0) break
      if (!(await write(piece))) return
    }
    if (left !== 0) throw new EdgesmithError('FILE_UNREADABLE', `${entry.name} changed while it was being sent`, { hint: 'Start again.' })
    if (!(await write(Buffer.alloc((blockSize - (entry.sizeBytes % blockSize)) % blockSize)))) return
  }
  await write(Buffer.alloc(2 * blockSize))
}
