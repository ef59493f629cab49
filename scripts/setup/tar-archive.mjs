import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { damagedArchive, placeInside } from './archive-path.mjs'
import { explainFileError } from './setup-error.mjs'

const blockSize = 512
/** Headers that carry long names; real ones have a few hundred bytes. */
const longestExtendedHeader = 1 << 20

/** Hands out exact numbers of bytes from a stream of chunks. */
class ByteReader {
  #chunks
  /** @type {Buffer} */
  #pending = Buffer.alloc(0)

  /** @param {AsyncIterable<Buffer>} source */
  constructor(source) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /**
   * @param {number} limit
   * @returns {Promise<Buffer>} between 1 and `limit` bytes; empty at the end of the stream
   */
  async some(limit) {
    if (this.#pending.length === 0) {
      const next = await this.#chunks.next()
      if (next.done) return this.#pending
      this.#pending = next.value
    }
    const part = this.#pending.subarray(0, limit)
    this.#pending = this.#pending.subarray(part.length)
    return part
  }

  /**
   * Yields exactly `length` bytes, or fewer where the stream ends early.
   * @param {number} length
   * @returns {AsyncGenerator<Buffer, void>}
   */
  async *take(length) {
    for (let left = length; left > 0; ) {
      const part = await this.some(left)
      if (part.length === 0) return
      left -= part.length
      yield part
    }
  }

  /**
   * @param {number} length
   * @returns {Promise<Buffer>} shorter than `length` only at the end of the stream
   */
  async exactly(length) {
    const parts = []
    for await (const part of this.take(length)) parts.push(part)
    return Buffer.concat(parts)
  }
}

/**
 * @param {Buffer} header
 * @param {number} offset
 * @param {number} length
 * @returns {string} a NUL-terminated field
 */
function text(header, offset, length) {
  const field = header.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

/**
 * Extracts the chosen files of an npm tarball (.tgz), without their leading `package/`. Links and special files are left out.
 * @param {string} tarball
 * @param {string} directory
 * @param {(path: string) => boolean} select gets the path without `package/`
 * @returns {Promise<string[]>} the extracted paths
 * @throws {import('./setup-error.mjs').SetupError} ARCHIVE_DAMAGED, DISK_FULL, NOT_WRITABLE
 */
export async function extractTarball(tarball, directory, select) {
  const name = basename(tarball)
  const unpacked = createGunzip()
  const reader = new ByteReader(unpacked)
  // A failure reaches the reader through `unpacked`, which the pipeline destroys.
  const unpacking = pipeline(createReadStream(tarball), unpacked).catch(() => {})
  /** @type {string[]} */
  const extracted = []
  let longPath = ''
  try {
    for (;;) {
      const header = await reader.exactly(blockSize)
      if (header.length === 0 || header.every((byte) => byte === 0)) return extracted
      if (header.length < blockSize) throw damagedArchive(name, 'it ends in the middle of a header')
      const size = Number.parseInt(text(header, 124, 12).trim() || '0', 8)
      if (!Number.isSafeInteger(size) || size < 0) throw damagedArchive(name, 'an entry has no readable size')
      const type = String.fromCharCode(header[156] || 0x30)
      const padding = (blockSize - (size % blockSize)) % blockSize
      if (type === 'x' || type === 'L') {
        if (size > longestExtendedHeader) throw damagedArchive(name, 'an extended header is too long')
        const content = (await reader.exactly(size)).toString('utf8')
        longPath = type === 'L' ? content.replace(/\0.*$/s, '') : (/^\d+ path=(.*)$/m.exec(content)?.[1] ?? '')
        await reader.exactly(padding)
        continue
      }
      const prefix = text(header, 345, 155)
      const fullPath = longPath || (prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100))
      longPath = ''
      const path = fullPath.replace(/^[^/]+\//, '')
      if (type === '0' && select(path)) {
        const target = placeInside(name, directory, path)
        mkdirSync(dirname(target), { recursive: true })
        const mode = Number.parseInt(text(header, 100, 8), 8) & 0o111 ? 0o755 : 0o644
        const written = createWriteStream(target, { mode })
        await pipeline(Readable.from(reader.take(size)), written)
        if (written.bytesWritten !== size) throw damagedArchive(name, `it ends in the middle of ${path}`)
        extracted.push(path)
      } else {
        for await (const _ of reader.take(size));
      }
      await reader.exactly(padding)
    }
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
    throw code.startsWith('Z_') ? damagedArchive(name, 'it cannot be decompressed') : explainFileError(error, directory)
  } finally {
    unpacked.destroy()
    await unpacking
  }
}
