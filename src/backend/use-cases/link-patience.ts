import type { DeviceLink } from '../../contract/device-link.ts'
import { EdgesmithError } from '../../contract/errors.ts'

/** How often the state of the connection is looked at. */
const LOOK_EVERY_MS = 500

/**
 * Ends the work on a device whose connection stays broken: links try again for a long time, and a job that measures on other devices too should
 * not wait for all of it.
 */
export class LinkPatience {
  /** Aborts when the connection was broken for too long, and with the job's signal. */
  readonly signal: AbortSignal
  private readonly giveUp = new AbortController()
  private readonly timer: NodeJS.Timeout
  private brokenSinceMs: number | null = null
  private reason: EdgesmithError | null = null

  /**
   * @param stateOf what is known of the connection now
   * @param patienceMs how long it may be broken without a break
   */
  constructor(name: string, stateOf: () => Pick<DeviceLink, 'state' | 'error'>, patienceMs: number, jobSignal: AbortSignal) {
    this.signal = AbortSignal.any([jobSignal, this.giveUp.signal])
    this.timer = setInterval(() => {
      const { state, error } = stateOf()
      if (state !== 'reconnecting') this.brokenSinceMs = null
      else this.brokenSinceMs ??= Date.now()
      if (this.brokenSinceMs === null || Date.now() - this.brokenSinceMs < patienceMs) return
      const tried = error ? ` (${error.message})` : ''
      this.reason ??= new EdgesmithError(
        'CONNECTION_LOST',
        `The connection to ${name} broke and did not come back within ${Math.round(patienceMs / 1000)} s${tried}`,
        { hint: 'Check its power and network, then measure it again.' },
      )
      this.giveUp.abort()
    }, LOOK_EVERY_MS)
  }

  /** Why the work was ended; null when it was not. */
  get lost(): EdgesmithError | null {
    return this.reason
  }

  /** Stops looking. */
  end(): void {
    clearInterval(this.timer)
  }
}
