import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** Larger pieces than a stream's own 64 kB: files of the agent have a hundred megabytes. */
const PIECE_BYTES = 1 << 20

/** SHA-256 of bytes, lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  // One update call takes at most 2 GiB.
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += 1 << 30) hash.update(bytes.subarray(at, at + (1 << 30)))
  return hash.digest('hex')
}

/** SHA-256 of a file's content, read piece by piece, lower-case hex. @throws the file system's error */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), hash)
  return hash.digest('hex')
}
