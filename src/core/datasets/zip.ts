import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { crc32 } from './crc32.ts'
import { DEFLATE_MAX_RATIO, InflateError, inflateExactly, inflateStart } from './inflate.ts'
import { DATASET_LIMITS } from './limits.ts'

/** Bytes that are read where they are needed: of memory, or of a file. */
export interface ByteSource {
  readonly length: number
  /** Bytes `at` … `at + length − 1`, all of them inside. */
  read(at: number, length: number): Uint8Array
}

/** Where a file lies in a zip archive. */
export interface ZipPlace {
  readonly name: string
  readonly deflated: boolean
  /** Size decompressed. */
  readonly size: number
  readonly crc: number
  /** Its bytes in the archive: where they begin, and how many there are. */
  readonly start: number
  readonly packedSize: number
}

/** A file in a zip archive in memory. */
export interface ZipEntry extends ZipPlace {
  /** Its bytes in the archive: a view. */
  readonly stored: Uint8Array
}

/** What an archive may hold. */
export interface ZipLimits {
  readonly entries: number
  /** Decompressed, all together. */
  readonly totalBytes: number
}

const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
/** Bytes of the end record, and of the longest comment behind it. */
const END_SIZE = 22
const COMMENT_MAX = 0xffff

/** Lists a zip archive in memory. @throws as {@link listZip} */
export function readZip(bytes: Uint8Array, name: string): ZipEntry[] {
  const source: ByteSource = { length: bytes.length, read: (at, length) => bytes.subarray(at, at + length) }
  const places = listZip(source, name, { entries: DATASET_LIMITS.arrays, totalBytes: DATASET_LIMITS.arrayBytes })
  return places.map((place) => ({ ...place, stored: bytes.subarray(place.start, place.start + place.packedSize) }))
}

/**
 * Lists a zip archive by its central directory. Refused are encrypted and unknown compression, entries that overlap (as in archives made to
 * explode), sizes DEFLATE cannot reach, and more than the limits allow; nothing is decompressed.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4; zip64 as NumPy writes it.
 * @param name how messages call the archive
 * @throws CoreError `DATASET_INVALID`, `TOO_LARGE`
 */
export function listZip(source: ByteSource, name: string, limits: ZipLimits): ZipPlace[] {
  const archive = new Archive(source, name)
  const { count, offset } = archive.directory()
  if (count > limits.entries) throw tooLarge(`${name} holds ${count} arrays`, limits.entries)
  const entries: ZipPlace[] = []
  const ranges: { start: number; end: number }[] = []
  let at = offset
  for (let index = 0; index < count; index++) {
    const { entry, range, next } = archive.entry(at)
    entries.push(entry)
    ranges.push(range)
    at = next
  }
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > limits.totalBytes) throw tooLarge(`${name} holds ${total} bytes of arrays`, limits.totalBytes)
  ranges.sort((a, b) => a.start - b.start)
  ranges.forEach((range, index) => {
    const before = ranges[index - 1]
    if (before && before.end > range.start) throw archive.invalid('two entries lie over each other', range.start)
  })
  const names = new Set<string>()
  for (const entry of entries) {
    if (names.has(entry.name)) throw archive.invalid(`it holds ${quoteName(entry.name)} twice`)
    names.add(entry.name)
  }
  return entries
}

/**
 * The bytes of an entry; stored ones stay a view into the archive.
 * @param what how messages call it
 * @throws CoreError `DATASET_INVALID` when it is damaged
 */
export function readEntry(entry: ZipEntry, what: string): Uint8Array {
  const bytes = entry.deflated ? inflated(inflateExactly, entry, what, entry.size) : entry.stored
  if (crc32(bytes) !== entry.crc) throw damaged(what, 'its checksum (CRC-32) is wrong')
  return bytes
}

/** The first `length` bytes of an entry (fewer if it is shorter), without a check of the rest. @throws CoreError `DATASET_INVALID` */
export function readEntryStart(entry: ZipEntry, what: string, length: number): Uint8Array {
  const wanted = Math.min(length, entry.size)
  return entry.deflated ? inflated(inflateStart, entry, what, wanted) : entry.stored.subarray(0, wanted)
}

function inflated(read: typeof inflateExactly, entry: ZipEntry, what: string, size: number): Uint8Array {
  try {
    return read(entry.stored, size)
  } catch (error) {
    throw error instanceof InflateError ? damaged(what, error.message) : error
  }
}

class Archive {
  private readonly source: ByteSource
  private readonly name: string

  constructor(source: ByteSource, name: string) {
    this.source = source
    this.name = name
  }

  /** Number of entries and place of the central directory. */
  directory(): { count: number; offset: number } {
    const { length } = this.source
    const first = Math.max(0, length - END_SIZE - COMMENT_MAX)
    const tail = viewOf(this.source.read(first, length - first))
    for (let at = length - END_SIZE; at >= first; at--) {
      if (tail.getUint32(at - first, true) !== END) continue
      if (at + END_SIZE + tail.getUint16(at - first + 20, true) !== length) continue
      const [count, offset] = [this.u16(at + 10), this.u32(at + 16)]
      if (count !== 0xffff && offset !== 0xffffffff) return { count, offset }
      return this.directory64(at)
    }
    throw this.invalid('it has no end record, so the archive is truncated or no zip file at all', length)
  }

  private directory64(end: number): { count: number; offset: number } {
    const locator = end - 20
    if (locator < 0 || this.u32(locator) !== LOCATOR_64) throw this.invalid('its zip64 end record is missing', end)
    const at = this.u64(locator + 8)
    if (this.u32(at) !== END_64) throw this.invalid('its zip64 end record is damaged', at)
    return { count: this.u64(at + 32), offset: this.u64(at + 48) }
  }

  /** One entry of the central directory at `at`, the range of the archive it covers, and where the next one begins. */
  entry(at: number): { entry: ZipPlace; range: { start: number; end: number }; next: number } {
    if (this.u32(at) !== CENTRAL) throw this.invalid('its directory is damaged', at)
    const [flags, method] = [this.u16(at + 8), this.u16(at + 10)]
    const [nameLength, extraLength, commentLength] = [this.u16(at + 28), this.u16(at + 30), this.u16(at + 32)]
    const name = new TextDecoder().decode(this.part(at + 46, nameLength))
    if (flags & 1) throw this.invalid(`${quoteName(name)} is encrypted`, at)
    if (method !== 0 && method !== 8)
      throw this.invalid(`${quoteName(name)} is compressed by method ${method}, expected none or DEFLATE`, at)
    const { size, packed, offset } = this.sizes(at, at + 46 + nameLength, extraLength)
    if (this.u32(offset) !== LOCAL) throw this.invalid(`the header of ${quoteName(name)} is not where the directory says`, offset)
    const start = offset + 30 + this.u16(offset + 26) + this.u16(offset + 28)
    if (method === 0 && packed !== size) throw this.invalid(`the sizes of ${quoteName(name)} contradict each other`, at)
    if (size > packed * DEFLATE_MAX_RATIO + 64) {
      throw this.invalid(`${quoteName(name)} claims to unpack ${packed} bytes to ${size}, which DEFLATE cannot do`, at)
    }
    this.inside(start, packed)
    const entry = { name, deflated: method === 8, size, crc: this.u32(at + 16), start, packedSize: packed }
    return { entry, range: { start: offset, end: start + packed }, next: at + 46 + nameLength + extraLength + commentLength }
  }

  /** Sizes and place of an entry; 0xFFFFFFFF means: in the zip64 extra field, in this order. */
  private sizes(at: number, extra: number, extraLength: number): { size: number; packed: number; offset: number } {
    const long = this.zip64Extra(extra, extra + extraLength)
    const read = (place: number) => {
      const value = this.u32(place)
      if (value !== 0xffffffff) return value
      const found = long.shift()
      if (found === undefined) throw this.invalid('its directory lacks a zip64 size', at)
      return found
    }
    const size = read(at + 24)
    const packed = read(at + 20)
    return { size, packed, offset: read(at + 42) }
  }

  private zip64Extra(from: number, to: number): number[] {
    for (let at = from; at + 4 <= to; at += 4 + this.u16(at + 2)) {
      if (this.u16(at) !== 1) continue
      const count = Math.min(3, Math.floor(this.u16(at + 2) / 8))
      return Array.from({ length: count }, (_, index) => this.u64(at + 4 + 8 * index))
    }
    return []
  }

  private part(at: number, length: number): Uint8Array {
    this.inside(at, length)
    return this.source.read(at, length)
  }

  private u16(at: number): number {
    return viewOf(this.part(at, 2)).getUint16(0, true)
  }

  private u32(at: number): number {
    return viewOf(this.part(at, 4)).getUint32(0, true)
  }

  private u64(at: number): number {
    return Number(viewOf(this.part(at, 8)).getBigUint64(0, true))
  }

  private inside(at: number, length: number): void {
    const { length: available } = this.source
    if (!(at >= 0 && at + length <= available)) {
      throw this.invalid(`it ends after ${available} bytes, where at least ${at + length} are needed`, available)
    }
  }

  invalid(problem: string, byte?: number): CoreError {
    const where = byte === undefined ? '' : ` (at byte ${byte})`
    return new CoreError('DATASET_INVALID', `${this.name} cannot be read: ${problem}${where}.`, {
      hint: 'Write the file again with numpy.savez, or copy it again if it was cut off.',
      details: byte === undefined ? {} : { byte },
    })
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function damaged(what: string, problem: string): CoreError {
  return new CoreError('DATASET_INVALID', `${what} cannot be read: ${problem}.`, { hint: 'Copy the file again, or write it again.' })
}

function tooLarge(message: string, limit: number): CoreError {
  return new CoreError('TOO_LARGE', `${message}, at most ${limit} can be read.`, { details: { limit } })
}
