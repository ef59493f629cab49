import { Inflate } from 'fflate'

/** What DEFLATE can gain at most is 1032 : 1; a file that claims more is lying. Source: zlib technical details, "Maximum compression factor". */
export const DEFLATE_MAX_RATIO = 1032

/** Compressed bytes handed over at a time: bounds what comes out before the size is checked again (64 MiB; 1 MiB for a prefix). */
const STEP = 1 << 16
const PREFIX_STEP = 1 << 10

/** Compressed data that is not what it should be. `produced` bytes were good. */
export class InflateError extends Error {
  readonly produced: number
  constructor(message: string, produced: number) {
    super(message)
    this.produced = produced
  }
}

/**
 * Decompresses raw DEFLATE data of known size; memory is bounded by that size whatever the data says.
 *
 * @param size exact number of bytes that must come out, or with `prefix` the number of first bytes that are wanted
 * @throws InflateError when the data is damaged, or holds fewer or more bytes
 */
export function inflateExactly(compressed: Uint8Array, size: number, { prefix = false }: { readonly prefix?: boolean } = {}): Uint8Array {
  const out = new Uint8Array(size)
  let produced = 0
  const stream = new Inflate((chunk) => {
    const room = size - produced
    if (chunk.length > room && !prefix) throw new InflateError(`it holds more than the ${size} bytes that were announced`, produced)
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk
    out.set(part, produced)
    produced += part.length
  })
  try {
    // No chunk at all for no data: the stream would never see its end.
    const step = prefix ? PREFIX_STEP : STEP
    for (let at = 0; at < Math.max(1, compressed.length); at += step) {
      if (prefix && produced === size) break
      stream.push(compressed.subarray(at, at + step), at + step >= compressed.length)
    }
  } catch (error) {
    if (prefix && produced === size) return out
    throw error instanceof InflateError ? error : new InflateError(`the compressed data is damaged (${(error as Error).message})`, produced)
  }
  if (produced < size) throw new InflateError(`it holds ${produced} bytes, ${size} were announced`, produced)
  return out
}
