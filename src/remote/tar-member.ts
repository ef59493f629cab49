import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { EdgesmithError } from '../contract/errors.ts'

const blockSize = 512

/**
 * The content of one member of a gzipped tar stream whose hash was checked before.
 * The stream fails with EdgesmithError BUNDLE_CORRUPT when the archive is broken or has no such member.
 */
export function openTarMember(archive: Readable, path: string, name: string): Readable {
  const unpacked = createGunzip()
  // A failure of either ends the other; it is met while reading.
  pipeline(archive, unpacked, () => undefined)
  return Readable.from(readMember(unpacked, path, name), { objectMode: false })
}

async function* readMember(unpacked: Readable, path: string, name: string): AsyncGenerator<Buffer, void> {
  const corrupt = (what: string) => new EdgesmithError('BUNDLE_CORRUPT', `${name}: ${what}`)
  let pending: Buffer = Buffer.alloc(0)
  /** Bytes of the current member (with padding) that were not seen yet, and those of them that are content. */
  let left = 0
  let content = 0
  let isWanted = false
  for await (const chunk of unpacked as AsyncIterable<Buffer>) {
    pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    for (;;) {
      if (left > 0) {
        const part = pending.subarray(0, left)
        if (isWanted && content > 0) yield part.subarray(0, content)
        left -= part.length
        content = Math.max(0, content - part.length)
        pending = pending.subarray(part.length)
        if (left > 0) break
        if (isWanted) return
      }
      if (pending.length < blockSize) break
      const header = pending.subarray(0, blockSize)
      pending = pending.subarray(blockSize)
      const text = (offset: number, length: number) => header.toString('utf8', offset, offset + length).replace(/\0.*$/s, '')
      if (text(0, 100) === '') throw corrupt(`it has no ${path}`)
      content = Number.parseInt(text(124, 12).trim() || '0', 8)
      if (!Number.isSafeInteger(content) || content < 0) throw corrupt('an entry has no readable size')
      isWanted = text(0, 100) === path
      left = Math.ceil(content / blockSize) * blockSize
      if (isWanted && left === 0) return
    }
  }
  throw corrupt(`it ends before ${path} does`)
}
