import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { diskFiles, replaceFile } from '../platform/durable-files.ts'
import { HashMeter, sha256Of, sha256OfFile } from '../platform/file-hash.ts'
import type { BundleArchitecture, BundleFile, BundleSources } from './agent-bundle.ts'
import { openImageLibrary } from './device-image-library.ts'
import { openNodeForDevice } from './device-node.ts'

/** Level 9 takes three times as long for 0.7 % less (Node 22.23.3: 17 s, 43.7 MB against 6.4 s, 44.0 MB). */
const gzipLevel = 6

/** What is known of a file as long as it does not change. */
interface SourceNote {
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly sha256: string
}

/** Compressed files by the hash of their content, and the hashes of source files that were seen before. */
export class BundleCache {
  readonly #folder: string
  readonly #notesPath: string
  #notes: Record<string, SourceNote> = {}

  constructor(folder: string) {
    this.#folder = folder
    this.#notesPath = join(folder, 'sources.json')
  }

  async open(): Promise<void> {
    await mkdir(join(this.#folder, 'blobs'), { recursive: true })
    try {
      const notes: unknown = JSON.parse(await readFile(this.#notesPath, 'utf8'))
      if (typeof notes === 'object' && notes !== null) this.#notes = notes as Record<string, SourceNote>
    } catch {
      // First time, or damaged: everything is hashed again.
    }
  }

  /** A file of the bundle from a file here, hashed and compressed unless both was done before. */
  async file(name: string, executable: boolean, path: string): Promise<BundleFile> {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new EdgesmithError('FILE_NOT_FOUND', `The agent for devices lacks ${name}: ${path} cannot be read (${error.code})`, {
        hint: /^(agent|swagger-ui)\b/.test(name) ? 'Build it: npm run build' : 'Install the dependencies again: npm ci',
      })
    })
    return this.#remembered(name, executable, path, { sizeBytes: found.size, mtimeMs: found.mtimeMs }, () =>
      Promise.resolve(createReadStream(path)),
    )
  }

  /** Node for the architecture; from a file here, or fetched. */
  async node(architecture: BundleArchitecture, sources: BundleSources, reporter?: JobReporter, signal?: AbortSignal): Promise<BundleFile> {
    const node = openNodeForDevice(architecture, sources)
    if (node.path !== null) return this.file('node', true, node.path)
    return this.#remembered('node', true, node.name, { sizeBytes: -1, mtimeMs: 0 }, () => node.fetch(sources.cacheFolder, reporter, signal))
  }

  /** The image library for the architecture; from files here, or fetched. */
  async imageLibrary(
    architecture: BundleArchitecture,
    sources: BundleSources,
    reporter?: JobReporter,
    signal?: AbortSignal,
  ): Promise<BundleFile[]> {
    return Promise.all(
      openImageLibrary(architecture, sources).map(async ({ name, spec, path, fetch, content }) => {
        const found = path === null ? null : await stat(path)
        const now = { sizeBytes: -1, mtimeMs: found?.mtimeMs ?? 0 }
        const open = async () => (path === null ? fetch(sources.cacheFolder, reporter, signal) : createReadStream(path))
        return this.#remembered(name, false, path ?? spec, now, async () => content(await open()))
      }),
    )
  }

  /** A file of the bundle from memory. */
  async content(name: string, content: Buffer): Promise<BundleFile> {
    const sha256 = sha256Of(content)
    if ((await this.#gzipBytes(sha256)) === null) await this.#compress(Readable.from([content]))
    return this.#describe(name, false, sha256, content.length)
  }

  /** Length and hash of a file here; read only when it has changed since it was read last. */
  async known(path: string): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
    const found = await stat(path)
    const note = this.#notes[path]
    if (note && note.sizeBytes === found.size && note.mtimeMs === found.mtimeMs) return note
    return this.#note(path, { sizeBytes: found.size, mtimeMs: found.mtimeMs, sha256: await sha256OfFile(path) })
  }

  async #remembered(
    name: string,
    executable: boolean,
    key: string,
    now: { readonly sizeBytes: number; readonly mtimeMs: number },
    open: () => Promise<Readable>,
  ): Promise<BundleFile> {
    const note = this.#notes[key]
    const unchanged = note && note.mtimeMs === now.mtimeMs && (note.sizeBytes === now.sizeBytes || now.sizeBytes < 0)
    if (unchanged && (await this.#gzipBytes(note.sha256)) !== null) return this.#describe(name, executable, note.sha256, note.sizeBytes)
    const { sha256, sizeBytes } = await this.#compress(await open())
    await this.#note(key, { sizeBytes, mtimeMs: now.mtimeMs, sha256 })
    return this.#describe(name, executable, sha256, sizeBytes)
  }

  async #note(key: string, note: SourceNote): Promise<SourceNote> {
    this.#notes[key] = note
    await replaceFile(diskFiles, this.#notesPath, JSON.stringify(this.#notes, null, 1), { mode: 0o644 })
    return note
  }

  async #describe(name: string, executable: boolean, sha256: string, sizeBytes: number): Promise<BundleFile> {
    const gzipPath = this.#gzipPath(sha256)
    const gzip = await this.known(gzipPath).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      throw new EdgesmithError('FILE_NOT_FOUND', `${gzipPath} was deleted meanwhile`, { hint: 'Start again.' })
    })
    return { name, sha256, sizeBytes, executable, gzipPath, gzipBytes: gzip.sizeBytes, gzipSha256: gzip.sha256 }
  }

  #gzipPath(sha256: string): string {
    return join(this.#folder, 'blobs', `${sha256}.gz`)
  }

  async #gzipBytes(sha256: string): Promise<number | null> {
    return /^[0-9a-f]{64}$/.test(sha256)
      ? stat(this.#gzipPath(sha256)).then(
          (found) => found.size,
          () => null,
        )
      : null
  }

  /** Hashes and compresses a stream into the cache, under a temporary name until it is whole. */
  async #compress(content: Readable): Promise<{ sha256: string; sizeBytes: number }> {
    const temporary = join(this.#folder, 'blobs', `${randomBytes(8).toString('hex')}.part`)
    const meter = new HashMeter()
    try {
      await pipeline(content, meter, createGzip({ level: gzipLevel }), createWriteStream(temporary, { flags: 'wx', flush: true }))
      const sha256 = meter.sha256()
      await rename(temporary, this.#gzipPath(sha256))
      return { sha256, sizeBytes: meter.sizeBytes }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
}
