import type { ReleaseGate, Routing, ServiceEvent } from '../../../contract/routing.ts'
import type { PrepareResult, ServiceLive, TrafficRequest } from '../../../contract/service-protocol.ts'
import { CoreError } from '../../../core/core-error.ts'
import type { RolloutStep } from '../../../core/rollout/rollout-step.ts'
import { besideOf } from '../../../core/rollout/routing.ts'
import {
  advance,
  keep,
  promote,
  type RoutingChange,
  rollBack,
  rollOut,
  setWeight,
  takeBack,
  withdraw,
} from '../../../core/rollout/routing-changes.ts'
import type { ServiceMonitor } from '../../monitor/service-monitor.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import type { OpenService } from '../open-service.ts'
import type { ServiceLog } from '../service-log.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { liveReport } from './live-report.ts'
import { type LoadedBeside, RunningTrials } from './running-trials.ts'
import { reasonOf, ServiceRecord } from './service-record.ts'
import type { VersionStore } from './version-store.ts'

export interface RolloutControllerOptions {
  readonly folder: ServiceFolder
  readonly store: VersionStore
  readonly service: OpenService
  readonly monitor: ServiceMonitor
  readonly bootId: string
  readonly log: ServiceLog
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number
}

/** How often running trials are looked at. */
const LOOK_EVERY_MS = 200
/** A release that was prepared and not rolled out is unloaded after this. */
const PREPARED_MS = 600_000

/** Decides which releases serve: on request, and by itself where one is being tried. Changes are made one after the other. */
export class RolloutController {
  readonly #options: RolloutControllerOptions
  readonly #now: () => number
  readonly #record: ServiceRecord
  #routing: Routing
  readonly #trials: RunningTrials
  /** Releases that passed their checks and have no place yet, and when. */
  readonly #prepared = new Map<string, number>()
  /** Releases of a change under way. */
  #coming: readonly string[] = []
  #changes: Promise<unknown> = Promise.resolve()
  #isLooking = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /** @param routing whose current release is loaded */
  constructor(routing: Routing, options: RolloutControllerOptions) {
    this.#options = options
    this.#record = new ServiceRecord(options.folder, options.log)
    this.#routing = routing
    this.#now = options.now ?? (() => performance.now())
    this.#trials = new RunningTrials(options.service.view.copies, this.#now)
  }

  get routing(): Routing {
    return this.#routing
  }

  /** Begins to serve: the current release at once, those beside it as soon as they are loaded. */
  start(): void {
    const { store, service } = this.#options
    const { current, watch } = this.#routing
    const version = store.get(current)
    if (!version) throw new Error(`release ${current} is not loaded`)
    service.versions.route(version, [])
    const told = (error: unknown) => this.#options.log.error('beside-not-loaded', { message: reasonOf(error) })
    if (watch) {
      // A clock that was set back begins the watch anew.
      const elapsed = (Date.now() - Date.parse(watch.since)) / 1000
      this.#trials.resumeWatch(version, Math.max(0, elapsed))
    }
    if (this.#routing.beside.length > 0) void this.#exclusive(() => this.#loadBeside()).catch(told)
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref()
  }

  /** Loads a release beside the others and checks it; it gets no request yet. */
  async prepare(release: string, gate: ReleaseGate): Promise<PrepareResult> {
    await this.#requireInCharge()
    for (const other of [...this.#prepared.keys()]) if (other !== release) this.#dropPrepared(other)
    // So that it is not unloaded while it is being checked.
    this.#prepared.set(release, this.#now())
    const result = await this.#options.store.prepare(release, gate)
    if (result.passed) this.#prepared.set(release, this.#now())
    else this.#dropPrepared(release)
    return result
  }

  /** Changes who serves. @throws CoreError `USAGE` where it does not go together with what is */
  traffic(request: TrafficRequest): Promise<ServiceLive> {
    return this.#exclusive(async () => {
      await this.#requireInCharge()
      await this.#change(request)
      return this.live()
    })
  }

  live(): Promise<ServiceLive> {
    const { folder, store, service, monitor } = this.#options
    return liveReport({ folder, store, service, monitor, routing: this.#routing, trials: this.#trials })
  }

  /** Looks at what is being tried, and decides. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#isClosed) return
    this.#isLooking = true
    try {
      await this.#exclusive(() => this.#decide())
    } catch (error) {
      this.#options.log.error('rollout-failed', { message: reasonOf(error) })
    } finally {
      this.#isLooking = false
    }
  }

  /** Decides nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#changes
    this.#options.service.view.copies.close()
  }

  async #change(request: TrafficRequest): Promise<void> {
    const moment = this.#moment()
    const routing = this.#routing
    switch (request.action) {
      case 'roll-out': {
        const { release, rollout } = request
        this.#requirePrepared(release)
        const change = rollOut(routing, release, rollout, moment)
        if (change.routing === routing) return
        await this.#record.forget(release)
        const kinds = { switch: 'switched', canary: 'canary-step', split: 'weights', shadow: 'weights' } as const
        return this.#make(change, kinds[rollout.kind], release)
      }
      case 'weight':
        return this.#make(setWeight(routing, request.release, request.weight, moment), 'weights', request.release)
      case 'promote':
        return this.#make(promote(routing, request.release, moment), 'switched', request.release)
      case 'withdraw':
        return this.#make(withdraw(routing, request.release), 'weights', request.release)
      case 'rollback': {
        const change = rollBack(routing)
        // It may have failed when it was brought again meanwhile: now it serves.
        if (change.routing.current !== routing.current) await this.#record.forget(change.routing.current)
        return this.#make(change, 'rolled-back', change.routing.current)
      }
    }
  }

  async #make({ routing, text }: RoutingChange, kind: ServiceEvent['kind'], release: string): Promise<void> {
    await this.#apply(routing)
    await this.#record.tell(kind, release, text)
  }

  /** What is decided is on the disk before it is done: whoever starts after a crash does the same. */
  async #apply(routing: Routing): Promise<void> {
    const { folder, store } = this.#options
    this.#coming = [routing.current, ...routing.beside.map(({ release }) => release)]
    try {
      const current = await required(store, routing.current)
      const beside = await Promise.all(routing.beside.map(async (entry) => ({ entry, version: await required(store, entry.release) })))
      await folder.writeRouting(routing)
      this.#route(routing, current, beside)
    } finally {
      this.#coming = []
    }
  }

  #route(routing: Routing, current: ServedVersion, beside: readonly LoadedBeside[]): void {
    const { store, service, monitor } = this.#options
    const before = this.#routing
    this.#routing = routing
    service.versions.route(
      current,
      beside.map(({ entry: { kind, weight }, version }) => ({ kind, weight, version })),
    )
    monitor.watch(current.config)
    this.#trials.change(before, routing, current, routing.previous === null ? null : store.get(routing.previous), beside)
    this.#unloadUnused()
  }

  #unloadUnused(): void {
    const { store, service } = this.#options
    const { current, previous, beside, watch } = this.#routing
    const used = new Set([...this.#coming, current, ...beside.map(({ release }) => release), ...(watch && previous ? [previous] : [])])
    for (const id of store.ids) {
      if (used.has(id)) this.#prepared.delete(id)
      else if (!this.#prepared.has(id)) {
        const version = store.get(id)
        if (version) service.view.copies.forget(version)
        store.unload(id)
      }
    }
  }

  async #decide(): Promise<void> {
    const now = this.#now()
    for (const [release, at] of this.#prepared) if (now - at > PREPARED_MS) this.#dropPrepared(release)
    const due = this.#trials.due(this.#routing)
    if (!due || !(await this.#isInCharge())) return
    await (due.of === 'watch' ? this.#endWatch(due.release, due.step) : this.#endStep(due.release, due.step))
  }

  async #endWatch(release: string, step: RolloutStep): Promise<void> {
    let doubts = ''
    if (step.kind === 'take-back') {
      try {
        return await this.#takeBack(release, step.text)
      } catch (error) {
        // It is bad, and still better than nothing.
        doubts = ` There is nothing to go back to: ${reasonOf(error)}`
      }
    }
    await this.#apply(keep(this.#routing))
    await this.#record.tell('kept', release, `It stays: ${step.text}.${doubts}`)
  }

  async #endStep(release: string, step: RolloutStep): Promise<void> {
    if (step.kind === 'take-back') return this.#takeBack(release, step.text)
    const { routing, text } = advance(this.#routing, release, this.#moment())
    await this.#apply(routing)
    await this.#record.tell(routing.current === release ? 'switched' : 'canary-step', release, `${text} Before: ${step.text}.`)
  }

  /** A release broke its limits. Where the disk cannot be written, it is taken back all the same. */
  async #takeBack(release: string, reason: string): Promise<void> {
    const { folder, store, log } = this.#options
    const routing = takeBack(this.#routing, release)
    const current = await required(store, routing.current)
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
    log.error('rolled-back', { version: release, reason })
    await this.#record.failed(release, 'rollout', reason)
    await this.#record.tell('rolled-back', release, `It was taken back: ${reason}.`)
  }

  /** Those that cannot be loaded any more are taken back. */
  async #loadBeside(): Promise<void> {
    const { store } = this.#options
    for (const { release } of this.#routing.beside) {
      if (this.#isClosed) return
      try {
        await required(store, release)
      } catch (error) {
        await this.#takeBack(release, reasonOf(error))
      }
    }
    const current = await required(store, this.#routing.current)
    const beside = await Promise.all(this.#routing.beside.map(async (entry) => ({ entry, version: await required(store, entry.release) })))
    this.#route(this.#routing, current, beside)
  }

  #requirePrepared(release: string): void {
    const { store } = this.#options
    const hasPlace = this.#routing.current === release || besideOf(this.#routing, release) !== undefined
    if (store.get(release) && (hasPlace || this.#prepared.has(release))) return
    throw conflict(`Release ${release} is not prepared.`, 'Ask for /control/prepare first: it loads and checks it.')
  }

  #dropPrepared(release: string): void {
    this.#prepared.delete(release)
    this.#unloadUnused()
  }

  /** While one process hands over to another, both answer: only the one whose state is written decides. */
  async #isInCharge(): Promise<boolean> {
    const state = await this.#options.folder.readState()
    return !this.#isClosed && (state === null || state.pid === process.pid)
  }

  async #requireInCharge(): Promise<void> {
    if (await this.#isInCharge()) return
    throw conflict('Another process is taking this service over.', 'Ask again in a second.')
  }

  #moment() {
    return { at: new Date().toISOString(), bootId: this.#options.bootId }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(work)
    this.#changes = done.catch(() => {})
    return done
  }
}

/** @throws CoreError `USAGE` naming the release that cannot be loaded */
async function required(store: VersionStore, release: string): Promise<ServedVersion> {
  try {
    return await store.require(release)
  } catch (error) {
    const reason = reasonOf(error)
    throw conflict(`Release ${release} cannot serve: ${reason}`, 'Deploy it again.')
  }
}

function conflict(message: string, hint: string): CoreError {
  return new CoreError('USAGE', message, { hint })
}
