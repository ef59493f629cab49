import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ExportResult } from '../../contract/export.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { HashMeter } from '../../platform/file-hash.ts'
import { systemCode } from '../../platform/system-code.ts'
import { writeError } from '../../platform/write-file.ts'

type ExportedFile = ExportResult['files'][number]

/** Names of files we choose ourselves: they go into checksum lists, archives and COPY lines, so nothing exotic. */
const fileName = /^[\w@+][\w.@+-]*$|^\.[a-z][\w.-]*$/

export interface FileOptions {
  readonly executable?: boolean
  /** The content must have this hash. */
  readonly sha256?: string
}

/** A folder that is being written: under another name beside its place until it is whole. */
export class ExportFolder {
  /** Where it will be. */
  readonly path: string
  readonly #temporary: string
  readonly #signal: AbortSignal
  readonly #files = new Map<string, ExportedFile & { readonly executable: boolean }>()

  private constructor(path: string, temporary: string, signal: AbortSignal) {
    this.path = path
    this.#temporary = temporary
    this.#signal = signal
  }

  /** @throws EdgesmithError `FOLDER_NOT_EMPTY`, `FILE_NOT_WRITABLE`, `NO_SPACE` */
  static async open(path: string, signal: AbortSignal): Promise<ExportFolder> {
    const target = resolve(path)
    await requireEmpty(target)
    const temporary = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomBytes(6).toString('hex')}.part`)
    try {
      await mkdir(dirname(target), { recursive: true })
      await mkdir(temporary)
    } catch (error) {
      throw writeError(error, target)
    }
    return new ExportFolder(target, temporary, signal)
  }

  /** Text, in UTF-8. */
  async text(path: string, content: string, options?: FileOptions): Promise<void> {
    await this.#write(path, [Readable.from([Buffer.from(content, 'utf8')])], options)
  }

  async copy(path: string, source: string, options?: FileOptions): Promise<void> {
    await this.#write(path, [createReadStream(source)], options)
  }

  /** The content of a compressed file. */
  async unzip(path: string, gzipPath: string, options?: FileOptions): Promise<void> {
    await this.#write(path, [createReadStream(gzipPath), createGunzip()], options)
  }

  /** Whatever a stream gives. */
  async stream(path: string, content: Readable): Promise<void> {
    await this.#write(path, [content])
  }

  /** What was written so far below a folder (its name with a slash at the end), names relative to that, sorted. */
  written(below = ''): (ExportedFile & { readonly executable: boolean; readonly source: string })[] {
    return [...this.#files.values()]
      .filter(({ path }) => path.startsWith(below))
      .map((file) => ({ ...file, source: join(this.#temporary, file.path), path: file.path.slice(below.length) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Writes `SHA256SUMS` for what was written below a folder, as `sha256sum -c` reads it there. */
  async sums(below = ''): Promise<void> {
    const lines = this.written(below).map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    await this.text(`${below}SHA256SUMS`, lines.join(''))
  }

  /** Gives the folder its name. @throws EdgesmithError `FOLDER_NOT_EMPTY` when somebody else was faster */
  async finish(): Promise<Omit<ExportResult, 'notes'>> {
    await this.sums()
    throwIfCancelled(this.#signal)
    await requireEmpty(this.path)
    try {
      // Windows does not rename over an empty folder.
      await rmdir(this.path).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error
      })
      await rename(this.#temporary, this.path)
    } catch (error) {
      throw writeError(error, this.path)
    }
    return { folder: this.path, files: this.written().map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 })) }
  }

  /** Takes away what was written, unless it is finished. */
  async discard(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true, maxRetries: 3 })
  }

  async #write(
    path: string,
    streams: readonly (NodeJS.ReadableStream | NodeJS.ReadWriteStream)[],
    options: FileOptions = {},
  ): Promise<void> {
    throwIfCancelled(this.#signal)
    if (!path.split('/').every((part) => fileName.test(part))) throw new Error(`not a name for an exported file: ${path}`)
    if (this.#files.has(path)) throw new Error(`exported twice: ${path}`)
    const place = join(this.#temporary, path)
    const meter = new HashMeter()
    const { executable = false } = options
    try {
      await mkdir(dirname(place), { recursive: true })
      await pipeline([...streams, meter, createWriteStream(place, { flags: 'wx', flush: true })], { signal: this.#signal })
      // Whatever the umask: another user runs it.
      await chmod(place, executable ? 0o755 : 0o644)
    } catch (error) {
      throwIfCancelled(this.#signal)
      throw writeError(error, join(this.path, path))
    }
    const [sha256, sizeBytes] = [meter.sha256(), meter.sizeBytes]
    if (options.sha256 !== undefined && options.sha256 !== sha256) {
      throw new EdgesmithError(
        'FILE_UNREADABLE',
        `${path} is not the file it was: ${sha256.slice(0, 12)} instead of ${options.sha256.slice(0, 12)}`,
        {
          hint: 'The workspace or its cache may be damaged. Import the model again, or delete the cache.',
        },
      )
    }
    this.#files.set(path, { path, sizeBytes, sha256, executable })
  }
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    if (systemCode(error) === 'ENOTDIR') {
      throw new EdgesmithError('FILE_NOT_WRITABLE', `${folder} is a file, expected the name of a folder.`, { hint: 'Choose another name.' })
    }
    throw writeError(error, folder)
  })
  if (names.length === 0) return
  throw new EdgesmithError(
    'FOLDER_NOT_EMPTY',
    `${folder} holds files already: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`,
    {
      hint: 'Choose a folder that does not exist yet, or empty this one.',
    },
  )
}
