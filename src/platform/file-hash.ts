import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Larger pieces than a stream's own 64 kB: files of the agent have a hundred megabytes. */
const PIECE_BYTES = 1 << 20

/** SHA-256 of bytes, or of a text in UTF-8, lower-case hex. */
export function sha256Of(content: Uint8Array | string): string {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  // One update call takes at most 2 GiB.
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += 1 << 30) hash.update(bytes.subarray(at, at + (1 << 30)))
  return hash.digest('hex')
}

/** SHA-256 of a file's content, read piece by piece, lower-case hex. @throws the file system's error; the signal's reason when it aborts */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), hash, { signal })
  return hash.digest('hex')
}

/** Passes a stream on unchanged, counted and hashed. */
export class HashMeter extends Transform {
  sizeBytes = 0
  readonly #hash = createHash('sha256')

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk)
    this.sizeBytes += chunk.length
    done(null, chunk)
  }

  /** SHA-256 of what went through, lower-case hex. Once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex')
  }
}
