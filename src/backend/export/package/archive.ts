import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { tarHeader } from '../../../remote/ustar.ts'
import type { ExportFolder } from '../export-folder.ts'

const blockSize = 512
/** As for the agent's files: more takes three times as long for next to nothing. */
const gzipLevel = 6

/**
 * What was written below a folder, as the bytes of a .tar.gz with that folder in it. The same files give the same bytes: sorted, owner 0,
 * moment 0, and gzip's header says neither name nor time.
 */
export function archive(folder: ExportFolder, below: string): Readable {
  return Readable.from(tarBytes(folder, below)).compose(createGzip({ level: gzipLevel }))
}

async function* tarBytes(folder: ExportFolder, below: string): AsyncGenerator<Buffer> {
  for (const { path, sizeBytes, executable, source } of folder.written(below)) {
    yield tarHeader(`${below}${path}`, sizeBytes, executable ? 0o755 : 0o644)
    for await (const piece of createReadStream(source, { highWaterMark: 1 << 20 })) yield piece as Buffer
    yield Buffer.alloc((blockSize - (sizeBytes % blockSize)) % blockSize)
  }
  yield Buffer.alloc(2 * blockSize)
}
