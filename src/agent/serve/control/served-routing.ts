import type { Routing } from '../../../contract/routing.ts'
import { CoreError } from '../../../core/core-error.ts'
import { besideOf } from '../../../core/rollout/routing.ts'
import type { ServiceMonitor } from '../../monitor/service-monitor.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import type { OpenService } from '../open-service.ts'
import type { ServiceLog } from '../service-log.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { PreparedReleases } from './prepared-releases.ts'
import { type LoadedBeside, RunningTrials } from './running-trials.ts'
import { reasonOf } from './service-record.ts'
import { readStableWindow, writeStableWindow } from './stable-window.ts'
import type { VersionStore } from './version-store.ts'

export interface ServedRoutingOptions {
  readonly folder: ServiceFolder
  readonly store: VersionStore
  readonly service: OpenService
  readonly monitor: ServiceMonitor
  readonly log: ServiceLog
}

/** The routing that holds, and everything that follows from it: who is loaded, who answers, what is being tried. */
export class ServedRouting {
  readonly trials: RunningTrials
  /** Releases that passed their checks, or are being checked, and have no place yet. */
  readonly prepared = new PreparedReleases()
  readonly #options: ServedRoutingOptions
  #routing: Routing
  /** Releases of a change under way. */
  #coming: readonly string[] = []

  /**
   * @param routing whose current release is loaded
   * @param now milliseconds on a clock that only goes forward
   */
  constructor(routing: Routing, options: ServedRoutingOptions, now: () => number) {
    this.#routing = routing
    this.#options = options
    this.trials = new RunningTrials(options.service.view.copies, now)
  }

  get routing(): Routing {
    return this.#routing
  }

  /** The current release answers. A watch of an earlier process begins anew: this one has seen nothing of it. */
  async start(): Promise<void> {
    const { folder, store, service } = this.#options
    const { current, watch } = this.#routing
    const version = store.get(current)
    if (!version) throw new Error(`release ${current} is not loaded`)
    const stable = watch && (await readStableWindow(folder, this.#routing))
    service.versions.route(version, [])
    if (watch) this.trials.resumeWatch(version, stable)
  }

  /** Whether others than the current release have to be loaded. */
  get needsOthers(): boolean {
    return this.#routing.beside.length > 0 || comparesAnswers(this.#routing)
  }

  /** Loads them, and lets them do their part. @throws CoreError `USAGE` where one beside the current release is not loaded yet, and cannot be */
  async loadOthers(): Promise<void> {
    const { store, log } = this.#options
    const { current, previous } = this.#routing
    if (previous !== null && comparesAnswers(this.#routing)) {
      await store.require(previous).catch((error: unknown) => log.error('not-loaded', { version: previous, message: reasonOf(error) }))
    }
    this.#route(this.#routing, await this.required(current), await this.#allBeside(this.#routing))
  }

  /** Another routing holds. It is on the disk before it is done: whoever starts after a crash does the same. @throws CoreError `USAGE` */
  async apply(routing: Routing): Promise<void> {
    const { folder, store } = this.#options
    this.#coming = [routing.current, ...routing.beside.map(({ release }) => release)]
    try {
      const current = await this.required(routing.current)
      const beside = await this.#allBeside(routing)
      const stable = beginsWatch(this.#routing, routing) && routing.previous !== null && store.get(routing.previous)
      if (stable) await writeStableWindow(folder, routing, stable.statistics.sinceLoaded())
      await folder.writeRouting(routing)
      this.#route(routing, current, beside)
    } finally {
      this.#coming = []
    }
  }

  /** The same for a routing without something that failed, with what is loaded, and also where the disk cannot be written. @throws CoreError `USAGE` */
  async applyWithout(routing: Routing): Promise<void> {
    const { folder, store, log } = this.#options
    const current = await this.required(routing.current)
    const beside = routing.beside.flatMap((entry) => {
      const version = store.get(entry.release)
      return version ? [{ entry, version }] : []
    })
    try {
      await folder.writeRouting(routing)
    } catch (error) {
      log.error('routing-not-written', { message: reasonOf(error) })
    }
    this.#route(routing, current, beside)
  }

  /** Writes a routing that says of the same releases what is already so. */
  async note(routing: Routing): Promise<void> {
    this.#routing = routing
    await this.#options.folder.writeRouting(routing)
  }

  /** A release that is loaded, or is now. @throws CoreError `USAGE` naming the release that cannot be loaded */
  async required(release: string): Promise<ServedVersion> {
    try {
      return await this.#options.store.require(release)
    } catch (error) {
      throw new CoreError('USAGE', `Release ${release} cannot serve: ${reasonOf(error)}`, { hint: 'Deploy it again.' })
    }
  }

  /** Whether a release was checked, or has its place. */
  isChecked(release: string): boolean {
    const hasPlace = this.#routing.current === release || besideOf(this.#routing, release) !== undefined
    return this.#options.store.get(release) !== null && (hasPlace || this.prepared.has(release))
  }

  /** Nobody wants to roll it out any more. */
  dropPrepared(release: string): void {
    this.prepared.remove(release)
    this.#unloadUnused()
  }

  #route(routing: Routing, current: ServedVersion, beside: readonly LoadedBeside[]): void {
    const { store, service, monitor } = this.#options
    const before = this.#routing
    this.#routing = routing
    const previous = routing.previous === null ? null : store.get(routing.previous)
    service.versions.route(
      current,
      beside.map(({ entry: { kind, weight }, version }) => ({ kind, weight, version })),
      comparesAnswers(routing) ? previous : null,
    )
    monitor.watch(current.config)
    this.trials.change(before, routing, current, previous, beside)
    this.#unloadUnused()
  }

  #unloadUnused(): void {
    const { store, service } = this.#options
    const { current, previous, beside, watch } = this.#routing
    const used = new Set([...this.#coming, current, ...beside.map(({ release }) => release), ...(watch && previous ? [previous] : [])])
    for (const id of store.ids) {
      if (used.has(id)) this.prepared.remove(id)
      else if (!this.prepared.has(id)) {
        const version = store.get(id)
        if (version) service.view.copies.forget(version)
        store.unload(id)
      }
    }
  }

  #allBeside({ beside }: Routing): Promise<LoadedBeside[]> {
    return Promise.all(beside.map(async (entry) => ({ entry, version: await this.required(entry.release) })))
  }
}

/** Whether another watch than before begins. */
function beginsWatch(before: Routing, { current, watch }: Routing): boolean {
  return watch !== null && (watch.since !== before.watch?.since || current !== before.current)
}

/** Whether answers of the watched release are to be compared with those of the one before it. */
function comparesAnswers({ watch, previous }: Routing): boolean {
  return watch !== null && watch.limits.maxDivergence !== null && previous !== null
}
