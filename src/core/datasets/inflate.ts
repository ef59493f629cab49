import { Inflate, inflateSync } from 'fflate'

/** What DEFLATE can gain at most is 1032 : 1; a file that claims more is lying. Source: zlib technical details, "Maximum compression factor". */
export const DEFLATE_MAX_RATIO = 1032

/** Compressed bytes handed over at a time where only the start is wanted: at most 1 MiB comes out of them. */
const STEP = 1 << 10

/** Compressed data that is not what it should be. */
export class InflateError extends Error {}

/**
 * Decompresses raw DEFLATE data of known size; memory is bounded by that size whatever the data says.
 * @param size exact number of bytes that must come out
 * @throws InflateError when the data is damaged, or holds fewer or more bytes
 */
export function inflateExactly(compressed: Uint8Array, size: number): Uint8Array {
  // fflate writes into this buffer and drops what does not fit: one more byte tells "exactly" from "more".
  const room = new Uint8Array(size + 1)
  const out = decoded(() => inflateSync(compressed, { out: room }))
  if (out.length > size) throw new InflateError(`it holds more than the ${size} bytes that were announced`)
  if (out.length < size) throw new InflateError(`it holds ${out.length} bytes, ${size} were announced`)
  return out
}

/**
 * The first bytes of raw DEFLATE data, without looking at the rest.
 * @throws InflateError when the data is damaged, or holds fewer bytes
 */
export function inflateStart(compressed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let produced = 0
  const stream = new Inflate((chunk) => {
    const part = chunk.subarray(0, length - produced)
    out.set(part, produced)
    produced += part.length
  })
  for (let at = 0; at < compressed.length && produced < length; at += STEP) {
    decoded(() => stream.push(compressed.subarray(at, at + STEP), at + STEP >= compressed.length))
  }
  if (produced < length) throw new InflateError(`it holds ${produced} bytes, at least ${length} were announced`)
  return out
}

function decoded<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new InflateError(`the compressed data is damaged (${error instanceof Error ? error.message : error})`)
  }
}
