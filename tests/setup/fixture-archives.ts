import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** Files of an archive by path. */
export type ArchiveFiles = Readonly<Record<string, { readonly content: Uint8Array | string; readonly executable?: boolean }>>

const blockSize = 512

function tarHeader(path: string, sizeBytes: number, mode: number): Buffer {
  const header = Buffer.alloc(blockSize)
  header.write(path, 0, 100)
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** A .tgz as npm packs it; paths are written as given, so `package/…` for npm. */
export function tarball(files: ArchiveFiles): Buffer {
  const blocks = Object.entries(files).flatMap(([path, { content, executable }]) => {
    const bytes = Buffer.from(content)
    return [
      tarHeader(path, bytes.length, executable ? 0o755 : 0o644),
      bytes,
      Buffer.alloc((blockSize - (bytes.length % blockSize)) % blockSize),
    ]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]))
}

/** npm's notation of a file's hash. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}
