import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EdgesmithError } from '../contract/errors.ts'
import { diskFiles } from '../platform/durable-files.ts'
import { sha256OfFile } from '../platform/file-hash.ts'
import { readError } from '../platform/read-file.ts'
import { systemCode } from '../platform/system-code.ts'

/** What was kept: its hash and size. */
export interface StoredBlob {
  readonly sha256: string
  readonly sizeBytes: number
}

/** Half-written files older than this belong to nobody any more. */
const STALE_TEMPORARY_MS = 24 * 60 * 60 * 1000

/**
 * Files of a workspace by their SHA-256: `blobs/ab/abcdef…`. A blob is written under a temporary name, synced and renamed,
 * so a name that exists is always whole.
 */
export class BlobStore {
  private readonly folder: string
  private readonly temporaryFolder: string

  constructor(workspace: string) {
    this.folder = join(workspace, 'blobs')
    this.temporaryFolder = join(workspace, 'tmp')
  }

  /** Where the blob lies (whether or not it exists). */
  path(sha256: string): string {
    return join(this.folder, sha256.slice(0, 2), sha256)
  }

  /** A fresh path for a file being made; {@link adopt} takes it in. The folder exists afterwards. */
  async temporaryPath(): Promise<string> {
    await mkdir(this.temporaryFolder, { recursive: true, mode: 0o700 })
    return join(this.temporaryFolder, randomUUID())
  }

  /** Copies a file into the store. @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `NO_SPACE` */
  async put(source: string): Promise<StoredBlob> {
    const temporary = await this.temporaryPath()
    try {
      await pipeline(createReadStream(source), createWriteStream(temporary, { mode: 0o600, flush: true }))
    } catch (error) {
      await rm(temporary, { force: true })
      if (systemCode(error) === 'ENOSPC') {
        throw new EdgesmithError('NO_SPACE', `The disk is full: cannot keep a copy of ${basename(source)}`)
      }
      throw readError(error, source)
    }
    return this.adopt(temporary)
  }

  /**
   * Takes a finished file made at a {@link temporaryPath} into the store under its hash; the temporary name is gone afterwards.
   * @param signal stops the hashing of a large file
   */
  async adopt(temporary: string, signal?: AbortSignal): Promise<StoredBlob> {
    try {
      const blob = { sha256: await sha256OfFile(temporary, signal), sizeBytes: (await stat(temporary)).size }
      await diskFiles.syncFile(temporary)
      const target = this.path(blob.sha256)
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 })
      await rename(temporary, target)
      await diskFiles.syncFolder(join(target, '..'))
      return blob
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Size of a stored blob in bytes. */
  async size(sha256: string): Promise<number> {
    return (await stat(this.path(sha256))).size
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true })
  }

  /** Bytes of all blobs. */
  async sizeBytes(): Promise<number> {
    let total = 0
    for (const name of await readdir(this.folder, { recursive: true }).catch(() => [])) {
      const entry = await stat(join(this.folder, name)).catch(() => undefined)
      if (entry?.isFile()) total += entry.size
    }
    return total
  }

  /** Removes what interrupted jobs left half-written. */
  async sweepTemporary(now: number): Promise<void> {
    for (const name of await readdir(this.temporaryFolder).catch(() => [])) {
      const path = join(this.temporaryFolder, name)
      const entry = await stat(path).catch(() => undefined)
      if (entry && now - entry.mtimeMs > STALE_TEMPORARY_MS) await rm(path, { force: true, recursive: true })
    }
  }
}
