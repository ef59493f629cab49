import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ServiceState } from '../../contract/service.ts'
import { endProcess, signalProcess } from '../../platform/processes.ts'
import { isPartOf, processesOf } from './processes.ts'
import { ServiceClient } from './service-client.ts'
import type { ServiceFolder } from './service-folder.ts'
import type { Keeper } from './supervision/keeper.ts'
import { handOverFile, readSupervisorState, type SupervisorState } from './supervisor-state.ts'

/** Loading a model of gigabytes from an SD card takes a while; nothing healthy takes longer. */
const readyTimeoutMs = 200_000
/** From being told to start to the supervisor's first word; systemd on a busy board takes its time. */
const appearMs = 30_000
/** Requests in flight get this long, and the supervisor a little more. */
const endGraceMs = 50_000
const pollMs = 100

/** The processes of a service on this machine. */
export class ServiceProcesses {
  readonly folder: ServiceFolder
  readonly service: string

  constructor(folder: ServiceFolder, service: string) {
    this.folder = folder
    this.service = service
  }

  /** What the serving process wrote, if it still runs. */
  async serving(): Promise<ServiceState | null> {
    const state = await this.folder.readState()
    return state && (await isPartOf(state.pid, 'serve', this.folder.path)) ? state : null
  }

  async supervisor(): Promise<SupervisorState | null> {
    const state = await readSupervisorState(this.folder.path)
    return state && (await isPartOf(state.pid, 'supervise', this.folder.path)) ? state : null
  }

  /** @throws EdgesmithError `SERVICE_NOT_RUNNING` */
  async client(): Promise<ServiceClient> {
    const state = await this.serving()
    if (state === null) {
      throw new EdgesmithError('SERVICE_NOT_RUNNING', `${this.service} is not running.`, { hint: 'Start it, or deploy again.' })
    }
    return this.clientOf(state)
  }

  async clientOf(state: ServiceState): Promise<ServiceClient> {
    return new ServiceClient(await this.folder.readSettings(), state, await this.folder.readToken())
  }

  /**
   * Waits until a serving process that is not `notPid` answers that it is healthy.
   * @param crashes of the supervisor before; one more, and it is given up
   * @throws EdgesmithError `DEPLOY_FAILED`, `PORT_TAKEN`
   */
  async becomesHealthy(notPid: number | null, crashes: number): Promise<ServiceState> {
    const begin = performance.now()
    let last = 'no process listens'
    let seen = false
    for (let elapsed = 0; elapsed < readyTimeoutMs; elapsed = performance.now() - begin) {
      const state = await this.serving()
      if (state !== null && state.pid !== notPid) {
        const found = await (await this.clientOf(state)).health(this.service)
        if (found === null) return state
        last = found
      }
      const supervisor = await this.supervisor()
      seen ||= supervisor !== null
      if (supervisor === null && (seen || elapsed > appearMs)) throw this.#unhealthy('its supervisor does not run')
      if (supervisor && supervisor.child === null && supervisor.failure !== null) throw this.#unhealthy(supervisor.failure)
      if (supervisor && supervisor.crashes > crashes) throw this.#unhealthy(supervisor.failure ?? 'its process ended')
      await delay(pollMs)
    }
    throw this.#unhealthy(last)
  }

  /**
   * Has the supervisor put a new serving process in the place of the one there is, and waits until it is healthy. A hand-over that is under
   * way already, for a deploy that was cut off, is not the one that is waited for: it may have read what was there before.
   * @throws EdgesmithError `DEPLOY_FAILED`; the old process serves on then
   */
  async handOver(): Promise<ServiceState> {
    const [supervisor, old] = [await this.supervisor(), await this.serving()]
    if (supervisor === null) throw new Error('no supervisor to hand over')
    const word = randomUUID()
    await this.folder.replace(handOverFile, `${word}\n`)
    signalProcess(supervisor.pid, 'SIGHUP')
    const begin = performance.now()
    while (performance.now() - begin < readyTimeoutMs) {
      const now = await this.supervisor()
      if (now === null) throw this.#unhealthy('its supervisor ended')
      if (now.handedOver === word) {
        if (now.handOvers > supervisor.handOvers && now.failure !== null) throw this.#unhealthy(now.failure)
        return this.becomesHealthy(old?.pid ?? null, now.crashes)
      }
      await delay(pollMs)
    }
    throw this.#unhealthy('its supervisor does not hand over')
  }

  /** Starts the supervisor and waits until the service is healthy. @throws EdgesmithError `DEPLOY_FAILED`, `PORT_TAKEN` */
  async start(keeper: Keeper): Promise<ServiceState> {
    await keeper.start()
    return this.becomesHealthy(null, 0)
  }

  /** Ends supervisor and serving process, whoever keeps them; requests in flight are finished. */
  async stop(keeper: Keeper): Promise<void> {
    await keeper.stop()
    const { path } = this.folder
    const supervisor = await readSupervisorState(path)
    if (supervisor) await endProcess(supervisor.pid, () => isPartOf(supervisor.pid, 'supervise', path), endGraceMs)
    const state = await this.folder.readState()
    if (state) await endProcess(state.pid, () => isPartOf(state.pid, 'serve', path), endGraceMs)
    // Those that no file names: what they would have written was lost.
    for (const pid of await processesOf(path)) {
      await endProcess(pid, async () => (await isPartOf(pid, 'serve', path)) || (await isPartOf(pid, 'supervise', path)), endGraceMs)
    }
    for (const name of ['state.json', 'supervisor.json']) await this.folder.files.remove(this.folder.at(name))
  }

  #unhealthy(why: string): EdgesmithError {
    const taken = /Another program listens on port (\d+)/.exec(why)
    if (taken) {
      return new EdgesmithError('PORT_TAKEN', why, {
        hint: 'Choose another port, or none: a free one is taken then.',
        details: { port: Number(taken[1]) },
      })
    }
    return new EdgesmithError('DEPLOY_FAILED', `${this.service} did not become healthy: ${why.replace(/\.$/, '')}.`, {
      hint: 'The log that comes with this error has its last words.',
    })
  }
}
