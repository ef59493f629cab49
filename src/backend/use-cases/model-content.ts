import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Field `metadata_props` of ModelProto (onnx.proto): where lineage and settings stand. */
const METADATA_FIELD = 14
const VARINT = 0
const DELIMITED = 2
/** Bytes that the numbers of the other wire types take. */
const fixedSizes: Readonly<Record<number, number>> = { 1: 8, 5: 4 }

/**
 * SHA-256 of a model file without its metadata, in hex: two builds that compute the same by different recipes have the same one.
 * The file must have been checked before; one that is not a protobuf message is hashed whole.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export async function contentHash(path: string): Promise<string> {
  const bytes = await readFile(path)
  const hash = createHash('sha256')
  for (const [from, to] of partsWithoutMetadata(bytes)) hash.update(bytes.subarray(from, to))
  return hash.digest('hex')
}

/** Byte ranges of the top-level fields that are not metadata. */
function partsWithoutMetadata(bytes: Uint8Array): (readonly [number, number])[] {
  const parts: (readonly [number, number])[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    const end = tag && fieldEnd(bytes, tag.next, tag.value % 8)
    if (!tag || end === undefined || end > bytes.length) return [[0, bytes.length]]
    if (Math.floor(tag.value / 8) !== METADATA_FIELD) parts.push([at, end])
    at = end
  }
  return parts
}

function fieldEnd(bytes: Uint8Array, at: number, wireType: number): number | undefined {
  if (wireType === VARINT) return readVarint(bytes, at)?.next
  if (wireType !== DELIMITED) return fixedSizes[wireType] === undefined ? undefined : at + (fixedSizes[wireType] as number)
  const length = readVarint(bytes, at)
  return length && length.next + length.value
}

/** A number of up to ten bytes; larger than 2^53 it is not exact, which no length is. */
function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0
  for (let index = 0; index < 10; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, next: at + index + 1 }
  }
  return undefined
}
