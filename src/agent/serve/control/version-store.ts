import type { ReleaseGate } from '../../../contract/routing.ts'
import type { ServiceSettings } from '../../../contract/service.ts'
import type { PrepareResult } from '../../../contract/service-protocol.ts'
import { checkRelease } from '../../services/boot-routing.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import { type LoadedVersion, loadVersion, type ModelLoaders } from '../versions/load-version.ts'
import { runGate } from '../versions/release-gate.ts'
import { releaseConfig, type ServedConfig, type ServedVersion } from '../versions/served-version.ts'

/** What one release has at least shown when another one fails beside it. */
const ROLLBACK_GATE: ReleaseGate = { maxLatencyMs: null, runs: 20 }

/** The releases of a service that are loaded in this process. */
export class VersionStore {
  readonly #folder: ServiceFolder
  readonly #settings: ServiceSettings
  readonly #loaders: ModelLoaders
  readonly #loaded = new Map<string, LoadedVersion>()
  /** Loads under way: asked for twice, a release is loaded once. */
  readonly #loading = new Map<string, Promise<LoadedVersion>>()
  /** A release never changes. */
  readonly #names = new Map<string, string>()
  readonly #closing = new Set<Promise<void>>()

  constructor(folder: ServiceFolder, settings: ServiceSettings, loaders: ModelLoaders) {
    this.#folder = folder
    this.#settings = settings
    this.#loaders = loaders
  }

  get(id: string): ServedVersion | null {
    return this.#loaded.get(id)?.version ?? null
  }

  get ids(): readonly string[] {
    return [...this.#loaded.keys()]
  }

  /** Settings and release in one. @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` */
  async config(id: string): Promise<ServedConfig> {
    const release = await this.#folder.readRelease(id)
    return releaseConfig(this.#settings, release, id, this.#folder.modelPath(release, id))
  }

  /** @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` */
  async modelName(id: string): Promise<string> {
    const known = this.#names.get(id) ?? (await this.#folder.readRelease(id)).modelName
    this.#names.set(id, known)
    return known
  }

  /** The release, loaded now where it is not yet. @throws EdgesmithError or CoreError of reading and loading */
  async load(id: string, whileServing: boolean): Promise<LoadedVersion> {
    const known = this.#loaded.get(id)
    if (known) return known
    const loading = this.#loading.get(id) ?? this.#begin(id, whileServing)
    this.#loading.set(id, loading)
    try {
      return await loading
    } finally {
      this.#loading.delete(id)
    }
  }

  /** Loads a release and checks it. A release that fails is unloaded again, unless it was there before. */
  async prepare(id: string, gate: ReleaseGate): Promise<PrepareResult> {
    const wasLoaded = this.#loaded.has(id)
    const { result } = await runGate(
      gate,
      () => checkRelease(this.#folder, id),
      () => this.load(id, true),
    )
    if (!result.passed && !wasLoaded) this.unload(id)
    return result
  }

  /** A release that served before, loaded and checked as far as it takes to let it serve again. @throws EdgesmithError or CoreError */
  async require(id: string): Promise<ServedVersion> {
    const known = this.get(id)
    if (known) return known
    const result = await this.prepare(id, ROLLBACK_GATE)
    const version = this.get(id)
    if (version && result.passed) return version
    throw new Error(result.checks.find(({ passed }) => !passed)?.text ?? 'it could not be loaded')
  }

  /** Lets a release finish what is in flight, and frees it. */
  unload(id: string): void {
    const loaded = this.#loaded.get(id)
    if (!loaded) return
    this.#loaded.delete(id)
    const closing = loaded.version.close().catch((error: unknown) => {
      this.#loaders.log.error('unload-failed', { version: id, message: error instanceof Error ? error.message : String(error) })
    })
    this.#closing.add(closing)
    void closing.then(() => this.#closing.delete(closing))
  }

  /** Frees all. */
  async close(): Promise<void> {
    for (const id of this.ids) this.unload(id)
    await Promise.all(this.#closing)
  }

  async #begin(id: string, whileServing: boolean): Promise<LoadedVersion> {
    const loaded = await loadVersion(await this.config(id), this.#loaders, whileServing)
    this.#loaded.set(id, loaded)
    return loaded
  }
}
