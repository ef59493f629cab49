import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { damagedArchive, placeInside } from './archive-path.mjs'
import { explainFileError } from './setup-error.mjs'

/** Format: APPNOTE.TXT 4.3 (PKWARE). Entries are streamed: a 200 MB archive takes a few MB of memory. */
const endSignature = 0x06054b50
const directorySignature = 0x02014b50
const endLength = 22
const longestComment = 65_535
/** The archive this is made for has 25,820 entries in 3 MB of central directory. */
const mostEntries = 200_000
const largestDirectory = 64 << 20
const stored = 0
const deflated = 8
const fileTypeMask = 0o170000
const symbolicLink = 0o120000

/** @typedef {{ path: string, method: number, compressedSize: number, size: number, mode: number, headerOffset: number }} ZipEntry */

/**
 * @param {import('node:fs/promises').FileHandle} file
 * @param {string} name
 * @returns {Promise<ZipEntry[]>}
 */
async function readDirectory(file, name) {
  const { size: fileSize } = await file.stat()
  const tail = Buffer.alloc(Math.min(fileSize, endLength + longestComment))
  await file.read(tail, 0, tail.length, fileSize - tail.length)
  let end = tail.length - endLength
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--
  if (end < 0) throw damagedArchive(name, 'it has no central directory')
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (count > mostEntries || length > largestDirectory || offset + length > fileSize)
    throw damagedArchive(name, 'its central directory is out of range')
  const directory = Buffer.alloc(length)
  await file.read(directory, 0, length, offset)
  /** @type {ZipEntry[]} */
  const entries = []
  let at = 0
  for (let index = 0; index < count; index++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== directorySignature)
      throw damagedArchive(name, `entry ${index} of its central directory`)
    const pathLength = directory.readUInt16LE(at + 28)
    const extraLength = directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    entries.push({
      path: directory.toString('utf8', at + 46, at + 46 + pathLength),
      method: directory.readUInt16LE(at + 10),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      mode: directory.readUInt32LE(at + 38) >>> 16,
      headerOffset: directory.readUInt32LE(at + 42),
    })
    at += 46 + pathLength + extraLength
  }
  return entries
}

/**
 * @param {string} zip
 * @param {import('node:fs/promises').FileHandle} file
 * @param {ZipEntry} entry
 * @param {string} target
 */
async function extractEntry(zip, file, entry, target) {
  const name = basename(zip)
  const header = Buffer.alloc(30)
  await file.read(header, 0, header.length, entry.headerOffset)
  const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  mkdirSync(dirname(target), { recursive: true })
  const output = createWriteStream(target, { mode: entry.mode & 0o111 ? 0o755 : 0o644 })
  if (entry.compressedSize === 0) {
    await new Promise((resolve, reject) => output.on('error', reject).end(resolve))
  } else {
    const compressed = createReadStream(zip, { start, end: start + entry.compressedSize - 1 })
    if (entry.method === deflated) await pipeline(compressed, createInflateRaw(), output)
    else await pipeline(compressed, output)
  }
  if (output.bytesWritten !== entry.size)
    throw damagedArchive(name, `${entry.path} has ${output.bytesWritten} bytes instead of ${entry.size}`)
}

/**
 * Extracts the chosen files of a .zip. Archives above 4 GB, encrypted ones and symbolic links are refused.
 * @param {string} zip
 * @param {string} directory
 * @param {(path: string) => string | undefined} place the file's path below `directory`; undefined leaves it out
 * @param {(writtenBytes: number, totalBytes: number) => void} [onProgress]
 * @returns {Promise<number>} files written
 * @throws {import('./setup-error.mjs').SetupError} ARCHIVE_DAMAGED, DISK_FULL, NOT_WRITABLE
 */
export async function extractZip(zip, directory, place, onProgress) {
  const name = basename(zip)
  const file = await open(zip)
  try {
    const entries = await readDirectory(file, name)
    const chosen = entries.flatMap((entry) => {
      const path = entry.path.endsWith('/') ? undefined : place(entry.path)
      return path === undefined ? [] : [{ entry, target: placeInside(name, directory, path) }]
    })
    const total = chosen.reduce((sum, { entry }) => sum + entry.size, 0)
    let written = 0
    for (const { entry, target } of chosen) {
      const unreadable = entry.method !== stored && entry.method !== deflated
      if (unreadable || (entry.mode & fileTypeMask) === symbolicLink) throw damagedArchive(name, `${entry.path} cannot be extracted`)
      await extractEntry(zip, file, entry, target)
      written += entry.size
      onProgress?.(written, total)
    }
    return chosen.length
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
    const damaged = code.startsWith('Z_') || code === 'ERR_OUT_OF_RANGE'
    throw damaged ? damagedArchive(name, 'it cannot be decompressed') : explainFileError(error, directory)
  } finally {
    await file.close()
  }
}
