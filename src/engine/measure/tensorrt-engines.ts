import { copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type EngineRecord, engineRecordSchema } from '../../contract/engine-record.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { isRunning } from '../../platform/processes.ts'
import { withFileLock } from './engine-lock.ts'

/** What an engine is made for: with anything else here it is another engine. */
export interface EngineIdentity {
  readonly modelSha256: string
  readonly gpu: string | null
  readonly tensorRt: string
  readonly jetPack: string | null
  readonly options: readonly string[]
}

/** An engine that is there. */
export interface StoredEngine {
  readonly path: string
  readonly sizeBytes: number
  /** Null when it was there before. */
  readonly buildSeconds: number | null
  /** What trtexec warned of while building, whenever that was. */
  readonly warnings: readonly string[]
}

/** Paths a build writes to; they are given their names when all is well. */
export interface BuildPlaces {
  readonly engine: string
  readonly timingCache: string
}

/** What building answers. */
export interface BuiltEngine {
  readonly buildSeconds: number
  readonly warnings: readonly string[]
}

/** Changes when engines of older programs must not be used any more. */
const FORMAT = 1
/** Engines of big models have hundreds of megabytes, and boards small disks. The newest stay. */
const MOST_ENGINES = 24
const MOST_BYTES = 4 * 2 ** 30

/**
 * Engines of this machine in a folder of their own. An engine fits one GPU, one TensorRT and one JetPack, so it is built where it runs and
 * never moved; a folder that came from another board (an SD card that was) has no engine that is used.
 */
export class EngineStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The engine of that identity, built where it is not there. One process builds, others wait for it.
   * @throws EdgesmithError `JOB_CANCELLED`, `NO_SPACE`, `FILE_NOT_WRITABLE`; what `build` throws
   */
  async engine(
    identity: EngineIdentity,
    build: (places: BuildPlaces) => Promise<BuiltEngine>,
    context: { readonly signal: AbortSignal; readonly onWait: (owner: string) => void },
  ): Promise<StoredEngine> {
    const key = engineKey(identity)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const found = await this.#stored(key)
    if (found) return found
    return withFileLock(
      join(this.#folder, `${key}.lock`),
      context,
      async () => (await this.#stored(key)) ?? this.#build(key, identity, build),
    )
  }

  /** Forgets an engine that cannot be used. */
  async remove(identity: EngineIdentity): Promise<void> {
    await this.#remove(engineKey(identity))
  }

  async #stored(key: string): Promise<StoredEngine | undefined> {
    const path = this.#enginePath(key)
    try {
      const record = engineRecordSchema.parse(JSON.parse(await readFile(this.#recordPath(key), 'utf8')))
      const { size } = await stat(path)
      if (size !== record.sizeBytes || size === 0) return undefined
      // What was used last is removed last.
      const now = new Date()
      await utimes(path, now, now).catch(() => {})
      return { path, sizeBytes: size, buildSeconds: null, warnings: record.warnings }
    } catch {
      return undefined
    }
  }

  async #build(key: string, identity: EngineIdentity, build: (places: BuildPlaces) => Promise<BuiltEngine>): Promise<StoredEngine> {
    const temporary = join(this.#folder, `tmp-${process.pid}-${key}`)
    const places: BuildPlaces = { engine: `${temporary}.engine`, timingCache: `${temporary}.timing` }
    const cachePath = join(this.#folder, `${timingCacheKey(identity)}.timing`)
    try {
      await this.#clearUnfinished()
      await this.#remove(key)
      // A copy: a build that dies while it writes must not spoil the cache.
      await copyFile(cachePath, places.timingCache).catch(() => {})
      const { buildSeconds, warnings } = await build(places)
      const { size } = await stat(places.engine).catch(() => ({ size: 0 }))
      if (size === 0) {
        throw new EdgesmithError('TENSORRT_FAILED', 'trtexec said that it built the engine, but there is none.', {
          hint: 'Is the disk of the device full? edgesmith device probe tells.',
        })
      }
      await rename(places.engine, this.#enginePath(key))
      await rename(places.timingCache, cachePath).catch(() => {})
      const record: EngineRecord = {
        ...identity,
        options: [...identity.options],
        sizeBytes: size,
        buildSeconds,
        warnings: [...warnings],
      }
      // Written last: an engine without its record is not whole.
      await writeFile(`${temporary}.json`, JSON.stringify(record), { mode: 0o600 })
      await rename(`${temporary}.json`, this.#recordPath(key))
      await this.#makeRoom(key)
      return { path: this.#enginePath(key), sizeBytes: size, buildSeconds, warnings }
    } finally {
      for (const end of ['engine', 'timing', 'timing.lock', 'json']) await rm(`${temporary}.${end}`, { force: true })
    }
  }

  /** Removes what killed builds left: a temporary file whose process does not run. */
  async #clearUnfinished(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const pid = /^tmp-(\d+)-/.exec(name)?.[1]
      if (pid === undefined || isRunning(Number(pid))) continue
      await rm(join(this.#folder, name), { force: true })
    }
  }

  /** Removes the engines that were not used for longest, where there are too many; never the one that was just built. */
  async #makeRoom(newest: string): Promise<void> {
    const engines: { key: string; usedMs: number; bytes: number }[] = []
    for (const name of await readdir(this.#folder)) {
      const key = /^([0-9a-f]{64})\.engine$/.exec(name)?.[1]
      if (key === undefined || key === newest) continue
      const { mtimeMs, size } = await stat(join(this.#folder, name))
      engines.push({ key, usedMs: mtimeMs, bytes: size })
    }
    engines.sort((a, b) => b.usedMs - a.usedMs)
    let bytes = (await stat(this.#enginePath(newest))).size
    for (const [index, engine] of engines.entries()) {
      bytes += engine.bytes
      if (index + 1 >= MOST_ENGINES || bytes > MOST_BYTES) await this.#remove(engine.key)
    }
  }

  async #remove(key: string): Promise<void> {
    // The record first: without it the engine is none.
    await rm(this.#recordPath(key), { force: true })
    await rm(this.#enginePath(key), { force: true })
  }

  #enginePath(key: string): string {
    return join(this.#folder, `${key}.engine`)
  }

  #recordPath(key: string): string {
    return join(this.#folder, `${key}.json`)
  }
}

/** SHA-256 of everything an engine depends on. */
function engineKey({ modelSha256, gpu, tensorRt, jetPack, options }: EngineIdentity): string {
  return hash([FORMAT, modelSha256, gpu, tensorRt, jetPack, options])
}

/** Timings of kernels hold for one GPU and one TensorRT, whatever the model. */
function timingCacheKey({ gpu, tensorRt, jetPack }: EngineIdentity): string {
  return hash([FORMAT, gpu, tensorRt, jetPack])
}

function hash(parts: readonly unknown[]): string {
  return sha256Of(JSON.stringify(parts))
}
