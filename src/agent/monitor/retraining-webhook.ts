import { randomUUID } from 'node:crypto'
import type { ServiceLog } from '../serve/service-log.ts'
import type { DriftTrigger } from './drift-monitor.ts'
import { postSigned } from './signed-post.ts'
import { type PendingRequest, readWebhookState, type WebhookState, writeWebhookState } from './webhook-state.ts'

/** Pauses between tries: each twice the one before, up to an hour, for three days in all. */
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 3_600_000
const GIVE_UP_MS = 3 * 86_400_000
/** Three days of tries; counts where the clock was set back. */
const MOST_ATTEMPTS = 100
/** Features named in a request, the worst ones. */
const MOST_FEATURES = 50
/** The receiver wants nothing of this kind any more (410 Gone). */
const GONE = 410

export interface RetrainingWebhookOptions {
  /** From the configuration: http or https. */
  readonly url: string
  readonly secret: string
  readonly statePath: string
  readonly coolDownMs: number
  readonly service: { readonly service: string; readonly model: string; readonly version: string }
  readonly log: ServiceLog
  /** Milliseconds since 1970. */
  readonly now?: () => number
  readonly firstPauseMs?: number
  readonly timeoutMs?: number
}

/** Where a webhook stands. */
export interface WebhookStatus {
  readonly firedAtMs: number | null
  /** The request that was not delivered yet. */
  readonly pending: { readonly key: string; readonly attempts: number; readonly nextAtMs: number } | null
}

/**
 * Tells one address that a model should be trained again, by a signed request (see {@link postSigned}). A request is tried until it is answered with
 * 2xx, for three days, across restarts, always with the same idempotency key; the next drift is told after the cool-down.
 */
export class RetrainingWebhook {
  readonly #options: RetrainingWebhookOptions
  readonly #now: () => number
  #state: WebhookState
  #timer: NodeJS.Timeout | undefined
  #isSending = false
  #isClosed = false

  /** Goes on with a request that an earlier process has not delivered. A state file that cannot be read is told in the log, and begun anew. */
  constructor(options: RetrainingWebhookOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#state = this.#readState()
    this.#plan()
  }

  get status(): WebhookStatus {
    const { firedAtMs, pending } = this.#state
    return { firedAtMs, pending: pending && { key: pending.key, attempts: pending.attempts, nextAtMs: pending.nextAtMs } }
  }

  /** To be called when drift has triggered. @returns what came of it: within the cool-down, or while a request is undelivered, nothing is sent */
  fire(trigger: DriftTrigger): 'sending' | 'cooling-down' | 'undelivered' {
    const now = this.#now()
    if (this.#state.pending) return 'undelivered'
    const { firedAtMs } = this.#state
    // A clock that was set back must not stretch the pause.
    if (firedAtMs !== null && firedAtMs <= now && now - firedAtMs < this.#options.coolDownMs) return 'cooling-down'
    const key = randomUUID()
    const body = JSON.stringify(requestBody(trigger, key, now, this.#options.service))
    this.#store({ version: 1, firedAtMs: now, pending: { key, body, createdAtMs: now, attempts: 0, nextAtMs: now } })
    this.#plan()
    return 'sending'
  }

  /** Stops trying; what is undelivered stays in the file. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #plan(): void {
    const { pending } = this.#state
    if (!pending || this.#isClosed || this.#isSending) return
    clearTimeout(this.#timer)
    // Set back by years, the clock would otherwise keep the request for years.
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(0, pending.nextAtMs - this.#now()))
    this.#timer = setTimeout(() => void this.#send(pending), pauseMs).unref()
  }

  async #send(pending: PendingRequest): Promise<void> {
    const { url, secret, timeoutMs, log } = this.#options
    this.#isSending = true
    const attempts = pending.attempts + 1
    let failure: string
    let retryAfterMs: number | null = null
    try {
      const timestamp = Math.floor(this.#now() / 1000)
      const timeout = timeoutMs === undefined ? {} : { timeoutMs }
      const answer = await postSigned({ url, secret, body: pending.body, idempotencyKey: pending.key, timestamp, ...timeout })
      if (answer.status >= 200 && answer.status < 300) {
        log.info('retraining-webhook-delivered', { key: pending.key, attempts, status: answer.status })
        this.#settle(null)
        return
      }
      failure = `answered with status ${answer.status}`
      retryAfterMs = answer.retryAfterMs
      if (answer.status === GONE) {
        log.error('retraining-webhook-given-up', { key: pending.key, attempts, reason: failure })
        this.#settle(null)
        return
      }
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    const now = this.#now()
    if (now - pending.createdAtMs >= GIVE_UP_MS || attempts >= MOST_ATTEMPTS) {
      log.error('retraining-webhook-given-up', { key: pending.key, attempts, reason: failure })
      this.#settle(null)
      return
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(this.#pauseMs(attempts), retryAfterMs ?? 0))
    log.error('retraining-webhook-failed', { key: pending.key, attempts, reason: failure, retryInMs: Math.round(pauseMs) })
    this.#settle({ ...pending, attempts, nextAtMs: now + pauseMs })
  }

  #settle(pending: PendingRequest | null): void {
    this.#isSending = false
    this.#store({ ...this.#state, pending })
    this.#plan()
  }

  /** Up to a quarter longer or shorter, so that many boards that lost the same network do not come back all at once. */
  #pauseMs(attempts: number): number {
    const { firstPauseMs = FIRST_PAUSE_MS } = this.#options
    return Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** Math.min(attempts - 1, 20)) * (0.75 + Math.random() / 2)
  }

  #readState(): WebhookState {
    const { statePath, log } = this.#options
    try {
      const state = readWebhookState(statePath)
      if (state) return state
    } catch (error) {
      log.error('retraining-webhook-state', { path: statePath, message: `It cannot be read and is begun anew: ${messageOf(error)}` })
    }
    return { version: 1, firedAtMs: null, pending: null }
  }

  /** A disk that is full makes it forget at a restart, not stop. */
  #store(state: WebhookState): void {
    this.#state = state
    const { statePath, log } = this.#options
    try {
      writeWebhookState(statePath, state)
    } catch (error) {
      log.error('retraining-webhook-state', { path: statePath, message: `It cannot be written: ${messageOf(error)}` })
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What is sent. Names are snake_case, as in the REST API; no value of any prediction is in it. */
function requestBody({ window, features }: DriftTrigger, key: string, nowMs: number, service: RetrainingWebhookOptions['service']): object {
  const worst = features.toSorted((a, b) => b.verdict.psi - a.verdict.psi).slice(0, MOST_FEATURES)
  return {
    event: 'drift',
    idempotency_key: key,
    time: new Date(nowMs).toISOString(),
    ...service,
    window: { rows: window.rows, from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() },
    drifted_features: features.length,
    features: worst.map(({ sketch, verdict, inARow }) => ({
      name: sketch.name,
      watches: sketch.source.kind === 'input' ? 'input' : 'prediction',
      level: verdict.level,
      psi: verdict.psi,
      psi_limit: verdict.psiLimit,
      distance: verdict.distance,
      p_value: verdict.adjustedPValue,
      windows_in_a_row: inARow,
    })),
  }
}
