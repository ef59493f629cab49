import type { GateCheck, ServiceEvent } from '../../../contract/routing.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import type { ServiceLog } from '../service-log.ts'

/** Last lines of the log that a failure keeps. */
const LOG_LINES = 200
const LOG_CHARACTERS = 100_000

/** Writes down what happens to a service. A disk that cannot be written to is told in the log, and stops nothing. */
export class ServiceRecord {
  readonly #folder: ServiceFolder
  readonly #log: ServiceLog

  constructor(folder: ServiceFolder, log: ServiceLog) {
    this.#folder = folder
    this.#log = log
  }

  /** Something happened. */
  async tell(kind: ServiceEvent['kind'], release: string | null, text: string): Promise<void> {
    this.#log.info(kind, { version: release, text })
    await this.#attempt('event-not-written', () => this.#folder.appendEvent({ at: now(), kind, release, text: text.slice(0, 2000) }))
  }

  /** A release failed: why, and the end of the log at that time. */
  async failed(release: string, check: GateCheck['name'], reason: string): Promise<void> {
    await this.#attempt('failure-not-written', async () => {
      const tail = await this.#folder.logTail(LOG_LINES)
      await this.#folder.writeFailure(release, {
        at: now(),
        reason: reason.slice(0, 4000),
        checks: [{ name: check, passed: false, text: reason.slice(0, 2000) }],
        log: tail.slice(-LOG_CHARACTERS),
      })
    })
  }

  /** A release that failed before is tried again. */
  async forget(release: string): Promise<void> {
    await this.#attempt('failure-not-removed', async () => {
      if ((await this.#folder.readFailure(release)) !== null) await this.#folder.clearFailure(release)
    })
  }

  async #attempt(event: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#log.error(event, { message: reasonOf(error) })
    }
  }
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function now(): string {
  return new Date().toISOString()
}
