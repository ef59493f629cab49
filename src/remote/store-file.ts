import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { EdgesmithError } from '../contract/errors.ts'
import type { AgentBundle, BundleFile } from './agent-bundle.ts'
import type { DeviceFile } from './device-session.ts'

/** Bytes in which a file can travel. */
export interface StoreForm {
  /** Of these bytes. */
  readonly sha256: string
  readonly sizeBytes: number
  /** The bytes from an offset to the end. */
  open(fromByte: number): AsyncIterable<Buffer>
}

/** A file for a device's store. */
export interface StoreFile {
  /** For messages. */
  readonly name: string
  readonly executable: boolean
  readonly plain: StoreForm
  /** Compressed; null when there is no such form. */
  readonly gzip: StoreForm | null
}

/** Larger pieces than a stream's own 64 kB halve the time the sending takes here. */
const pieceBytes = 262_144

/** A file of the agent: compressed here, unpacked on the way for a device without gzip. */
export function bundledFile({ name, sha256, sizeBytes, executable, gzipPath, gzipBytes, gzipSha256 }: BundleFile): StoreFile {
  return {
    name,
    executable,
    plain: { sha256, sizeBytes, open: (fromByte) => unpack(name, sha256, gzipPath, fromByte) },
    gzip: { sha256: gzipSha256, sizeBytes: gzipBytes, open: (fromByte) => readFrom(gzipPath, fromByte) },
  }
}

/** Models and datasets go as they are: weights hardly shrink, and compressing them would take longer than sending them. */
export function plainFile({ sha256, sizeBytes, path }: DeviceFile): StoreFile {
  return { name: path, executable: false, plain: { sha256, sizeBytes, open: (fromByte) => readFrom(path, fromByte) }, gzip: null }
}

/** A file whose compressed form here is damaged would fail every time: the next push makes it anew. */
export async function discardDamaged(bundle: AgentBundle, error: unknown): Promise<void> {
  if (!(error instanceof EdgesmithError) || error.code !== 'BUNDLE_CORRUPT') return
  const file = bundle.files.find(({ sha256 }) => sha256 === error.details?.sha256)
  // What was shipped with the program is not ours to delete.
  if (file && !bundle.shipped) await rm(file.gzipPath, { force: true })
}

function readFrom(path: string, start: number): Readable {
  return createReadStream(path, { start, highWaterMark: pieceBytes })
}

async function* unpack(name: string, sha256: string, gzipPath: string, fromByte: number): AsyncGenerator<Buffer, void> {
  const plain = createGunzip({ chunkSize: pieceBytes })
  // A failure of either ends the other; it is met while reading.
  pipeline(readFrom(gzipPath, 0), plain, () => undefined)
  let skip = fromByte
  try {
    for await (const piece of plain as AsyncIterable<Buffer>) {
      if (piece.length > skip) yield piece.subarray(skip)
      skip = Math.max(0, skip - piece.length)
    }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw new EdgesmithError('BUNDLE_CORRUPT', `${name} in the cache of this computer is damaged`, {
      hint: 'Start again: it is made anew.',
      details: { sha256 },
    })
  }
}
