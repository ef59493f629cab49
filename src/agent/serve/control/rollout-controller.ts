import type { ReleaseGate, Routing } from '../../../contract/routing.ts'
import type { PrepareResult, ServiceLive, TrafficRequest } from '../../../contract/service-protocol.ts'
import { CoreError } from '../../../core/core-error.ts'
import type { RolloutStep } from '../../../core/rollout/rollout-step.ts'
import { advance, keep, renewTrials, takeBack } from '../../../core/rollout/routing-changes.ts'
import { liveReport } from './live-report.ts'
import { requestedChange } from './requested-change.ts'
import { ServedRouting, type ServedRoutingOptions } from './served-routing.ts'
import { reasonOf, ServiceRecord } from './service-record.ts'

export interface RolloutControllerOptions extends ServedRoutingOptions {
  readonly bootId: string
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number
}

/** How often running trials are looked at. */
const LOOK_EVERY_MS = 200

/** Decides which releases serve: on request, and by itself where one is being tried. Changes are made one after the other. */
export class RolloutController {
  readonly #options: RolloutControllerOptions
  readonly #now: () => number
  readonly #record: ServiceRecord
  readonly #served: ServedRouting
  #changes: Promise<unknown> = Promise.resolve()
  /** What an earlier process tried is tried anew, and nobody has written that down yet. */
  #isRenewed = true
  #isLooking = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /** @param routing whose current release is loaded */
  constructor(routing: Routing, options: RolloutControllerOptions) {
    this.#options = options
    this.#record = new ServiceRecord(options.folder, options.log)
    this.#now = options.now ?? (() => performance.now())
    this.#served = new ServedRouting(routing, options, this.#now)
  }

  get routing(): Routing {
    return this.#served.routing
  }

  /** Begins to serve: the current release at once, those beside it as soon as they are loaded. */
  async start(): Promise<void> {
    // Whoever asks for other traffic meanwhile waits: it would be undone.
    await this.#exclusive(() => this.#served.start())
    const told = (error: unknown) => this.#options.log.error('not-loaded', { message: reasonOf(error) })
    if (this.#served.needsOthers) void this.#exclusive(() => this.#loadOthers()).catch(told)
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref()
  }

  /** Loads a release beside the others and checks it; it gets no request yet. */
  async prepare(release: string, gate: ReleaseGate): Promise<PrepareResult> {
    await this.#requireInCharge()
    const { prepared } = this.#served
    for (const other of prepared.others(release)) this.#served.dropPrepared(other)
    // So that it is not unloaded while it is being checked.
    prepared.add(release, this.#now())
    const result = await this.#options.store.prepare(release, gate)
    if (result.passed) prepared.add(release, this.#now())
    else this.#served.dropPrepared(release)
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
    const { routing, trials } = this.#served
    return liveReport({ folder, store, service, monitor, routing, trials })
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
    if (request.action === 'roll-out' && !this.#served.isChecked(request.release)) {
      throw conflict(`Release ${request.release} is not prepared.`, 'Ask for /control/prepare first: it loads and checks it.')
    }
    const requested = requestedChange(request, this.routing, this.#moment())
    if (requested === null) return
    const { change, kind, release, isTriedAgain } = requested
    if (isTriedAgain) await this.#record.forget(release)
    await this.#served.apply(change.routing)
    await this.#record.tell(kind, release, change.text)
  }

  async #decide(): Promise<void> {
    for (const release of this.#served.prepared.forgotten(this.#now())) this.#served.dropPrepared(release)
    if (this.#isRenewed) await this.#noteRenewal()
    const due = this.#served.trials.due(this.routing)
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
    await this.#served.apply(keep(this.routing))
    await this.#record.tell('kept', release, `It stays: ${step.text}.${doubts}`)
  }

  async #endStep(release: string, step: RolloutStep): Promise<void> {
    if (step.kind === 'take-back') return this.#takeBack(release, step.text)
    const { routing, text } = advance(this.routing, release, this.#moment())
    await this.#served.apply(routing)
    await this.#record.tell(routing.current === release ? 'switched' : 'canary-step', release, `${text} Before: ${step.text}.`)
  }

  /** A release broke its limits. */
  async #takeBack(release: string, reason: string): Promise<void> {
    await this.#served.applyWithout(takeBack(this.routing, release))
    this.#options.log.error('rolled-back', { version: release, reason })
    await this.#record.failed(release, 'rollout', reason)
    await this.#record.tell('rolled-back', release, `It was taken back: ${reason}.`)
  }

  /** Those beside the current release that cannot be loaded any more are taken back. */
  async #loadOthers(): Promise<void> {
    for (const { release } of this.routing.beside) {
      if (this.#isClosed) return
      try {
        await this.#served.required(release)
      } catch (error) {
        await this.#takeBack(release, reasonOf(error))
      }
    }
    await this.#served.loadOthers()
  }

  /** What is being tried began anew with this process, in this boot of the machine: a crash from now on takes it back. */
  async #noteRenewal(): Promise<void> {
    const isTrying = this.routing.watch !== null || this.routing.beside.some(({ kind }) => kind !== 'split')
    if (isTrying && !(await this.#isInCharge())) return
    this.#isRenewed = false
    if (isTrying) await this.#served.note(renewTrials(this.routing, this.#moment()))
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

function conflict(message: string, hint: string): CoreError {
  return new CoreError('USAGE', message, { hint })
}
