import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { type NodeForDevices, openNodeForDevice } from './device-node.ts'

/** Processors there is an agent for; both with Linux. */
export type BundleArchitecture = 'x64' | 'arm64'

/** A file of the bundle: its name on the device, and where its compressed form lies here. */
export interface BundleFile {
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly executable: boolean
  readonly gzipPath: string
  readonly gzipBytes: number
}

/** Everything a device needs to run the agent: Node, ONNX Runtime, our code, and a manifest (the last file) that names them. */
export interface AgentBundle {
  /** Follows from the content: the start of the manifest's hash. */
  readonly id: string
  readonly version: string
  readonly architecture: BundleArchitecture
  readonly files: readonly BundleFile[]
  /** Unpacked. */
  readonly totalBytes: number
}

/** Where the parts of a bundle come from. */
export interface BundleSources extends NodeForDevices {
  /** Folder of the built agent (`out/agent`), of which `agent.cjs` is taken. */
  readonly agentFolder: string
  /** `onnxruntime-node/bin/napi-v6/linux`, with a folder for each architecture. */
  readonly onnxRuntimeFolder: string
  /** Bundles and their compressed files are kept in `agent-bundle` below it. */
  readonly cacheFolder: string
  /** Version of Edgesmith. */
  readonly version: string
}

/** Level 9 takes three times as long for 0.7 % less (Node 22.23.3: 17 s, 43.7 MB against 6.4 s, 44.0 MB). */
const gzipLevel = 6

/** What is known of a source file as long as it does not change. */
interface SourceNote {
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly sha256: string
}

/**
 * The bundle for an architecture, assembled when it is not in the cache yet: seconds the first time (compression), milliseconds later.
 * Several processes may do it at once.
 * @throws EdgesmithError FILE_NOT_FOUND (agent not built, package missing), DEVICE_UNSUPPORTED (no Node to be had for it), NO_SPACE, FILE_NOT_WRITABLE
 */
export async function ensureAgentBundle(
  architecture: BundleArchitecture,
  sources: BundleSources,
  reporter?: JobReporter,
  signal?: AbortSignal,
): Promise<AgentBundle> {
  const cache = new BundleCache(join(sources.cacheFolder, 'agent-bundle'))
  await cache.open()
  const runtime = join(sources.onnxRuntimeFolder, architecture)
  const fromFile = (name: string, path: string) => cache.file(name, false, path)
  const libraries = await sharedLibraries(runtime)
  reporter?.progress({ phase: 'assembling the agent', done: 0, total: null, unit: 'files' })
  const files = await Promise.all([
    cache.node(architecture, sources, reporter, signal),
    fromFile('agent.cjs', join(sources.agentFolder, 'agent.cjs')),
    fromFile('onnxruntime_binding.node', join(runtime, 'onnxruntime_binding.node')),
    ...libraries.map((name) => fromFile(name, join(runtime, name))),
  ])
  const described = files.map(({ name, sha256, sizeBytes, executable }) => ({ name, sha256, sizeBytes, executable }))
  const manifest = Buffer.from(`${JSON.stringify({ version: sources.version, architecture, files: described }, null, 1)}\n`)
  files.push(await cache.content('manifest.json', manifest))
  const id = createHash('sha256').update(manifest).digest('hex').slice(0, 32)
  await cache.keepManifest(id, manifest)
  return { id, version: sources.version, architecture, files, totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) }
}

async function sharedLibraries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const libraries = names.filter((name) => /^libonnxruntime\S*\.so(\.\d+)*$/.test(name)).sort()
  if (libraries.length > 0) return libraries
  throw new EdgesmithError('FILE_NOT_FOUND', `${folder} holds no ONNX Runtime library`, { hint: 'Install the dependencies again: npm ci' })
}

/** Compressed files by the hash of their content, and the hashes of source files that were seen before. */
class BundleCache {
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
        hint: name === 'agent.cjs' ? 'Build it: npm run build' : 'Install the dependencies again: npm ci',
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

  /** A file of the bundle from memory. */
  async content(name: string, content: Buffer): Promise<BundleFile> {
    const sha256 = createHash('sha256').update(content).digest('hex')
    if ((await this.#gzipBytes(sha256)) === null) await this.#compress(Readable.from([content]))
    return this.#describe(name, false, sha256, content.length)
  }

  async keepManifest(id: string, manifest: Buffer): Promise<void> {
    await mkdir(join(this.#folder, id), { recursive: true })
    await this.#write(join(this.#folder, id, 'manifest.json'), manifest)
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
    this.#notes[key] = { sizeBytes, mtimeMs: now.mtimeMs, sha256 }
    await this.#write(this.#notesPath, Buffer.from(JSON.stringify(this.#notes, null, 1)))
    return this.#describe(name, executable, sha256, sizeBytes)
  }

  async #describe(name: string, executable: boolean, sha256: string, sizeBytes: number): Promise<BundleFile> {
    const gzipBytes = await this.#gzipBytes(sha256)
    if (gzipBytes === null)
      throw new EdgesmithError('FILE_NOT_FOUND', `${this.#gzipPath(sha256)} was deleted meanwhile`, { hint: 'Start again.' })
    return { name, sha256, sizeBytes, executable, gzipPath: this.#gzipPath(sha256), gzipBytes }
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
    const hash = createHash('sha256')
    let sizeBytes = 0
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        sizeBytes += chunk.length
        done(null, chunk)
      },
    })
    try {
      await pipeline(content, counted, createGzip({ level: gzipLevel }), createWriteStream(temporary, { flags: 'wx', flush: true }))
      const sha256 = hash.digest('hex')
      await rename(temporary, this.#gzipPath(sha256))
      return { sha256, sizeBytes }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #write(path: string, content: Buffer): Promise<void> {
    const temporary = `${path}.${randomBytes(6).toString('hex')}`
    await writeFile(temporary, content)
    await rename(temporary, path)
  }
}
