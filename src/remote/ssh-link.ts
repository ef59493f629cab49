import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgesmithError, type ErrorCode } from '../contract/errors.ts'
import { soonAfterAbort, throwIfCancelled, untilAborted } from '../platform/cancellation.ts'
import type { AcceptedHostKey } from './host-key-check.ts'
import { type LinkReport, plainReport } from './link-report.ts'
import type { RunningProcess } from './running-process.ts'
import type { SshChannels } from './ssh-channels.ts'
import type { SshConnection } from './ssh-connection.ts'
import { within } from './within.ts'

/** Time, so that tests need not wait. */
export interface LinkClock {
  nowMs(): number
  /** @param stay keep the program running for it. Rejects when the signal aborts. */
  wait(ms: number, stay: boolean, signal: AbortSignal): Promise<void>
}

/** What a link needs of a connection. */
type LinkedConnection = Pick<SshConnection, 'closed' | 'closeReason' | 'hostKey' | 'onClose' | 'close' | keyof SshChannels>

export interface SshLinkOptions {
  /** Opens a new connection; called again whenever the one before broke. */
  readonly connect: () => Promise<LinkedConnection>
  readonly onLink?: ((link: LinkReport) => void) | undefined
  readonly onLog?: ((text: string) => void) | undefined
  /** How long a broken link is tried again while something waits for it, default 15 minutes. */
  readonly giveUpAfterMs?: number | undefined
  /** The same while nothing waits for it, default 5 minutes. */
  readonly idleGiveUpAfterMs?: number | undefined
  readonly clock?: LinkClock | undefined
}

/** Pauses before the attempts after a break; the last one is repeated. A board that reboots is back after some of them. */
const backOffMs = [1000, 2000, 4000, 8000, 15_000, 30_000] as const
const defaultGiveUpAfterMs = 15 * 60_000
const defaultIdleGiveUpAfterMs = 5 * 60_000
/** A new user ends the pause before the next attempt, unless the last one ended just now. */
const shortestPauseMs = 1000

/** Cancelling, and closing, take at most this long. */
const tidyMs = 1000

/** Trying again cannot mend these. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'HOST_KEY_MISMATCH',
  'DEVICE_AUTH_FAILED',
  'KEY_UNREADABLE',
  'QUESTION_UNANSWERED',
  'SSH_CONFIG_INVALID',
  'FILE_UNREADABLE',
])

const realClock: LinkClock = {
  nowMs: () => Date.now(),
  wait: (ms, stay, signal) => delay(ms, undefined, { signal, ref: stay }),
}

/** Somebody who needs the connection. */
interface Waiter {
  /** Waits until the link is given up; others for one attempt. */
  readonly patient: boolean
  resolve(connection: LinkedConnection): void
  reject(error: unknown): void
}

/**
 * A connection to a device that is opened again when it breaks, after 1, 2, 4, 8, 15, 30, 30 … seconds. Commands that ran when it broke
 * are lost; new ones wait until it is mended. When it is given up it says `closed`; the next use tries again all the same.
 */
export class SshLink implements SshChannels {
  readonly place: string
  readonly hostKey: AcceptedHostKey
  /** The same link for what does not wait long: when it is broken, one attempt decides. */
  readonly impatient: SshChannels
  readonly #options: SshLinkOptions
  readonly #clock: LinkClock
  readonly #closing = new AbortController()
  readonly #waiters = new Set<Waiter>()
  readonly #farewells = new Set<() => Promise<void>>()
  #connection: LinkedConnection | null = null
  #lost: EdgesmithError
  #connections = 0
  #givenUp = false
  #mending = false
  #hurry = new AbortController()
  #lastAttempt: { readonly endedAtMs: number; readonly error: unknown } | null = null

  /**
   * Connects, once.
   * @throws EdgesmithError of `connect`
   */
  static async open(options: SshLinkOptions): Promise<SshLink> {
    options.onLink?.({ state: 'connecting', attempts: 0, nextAttemptAt: null, error: null })
    try {
      return new SshLink(options, await options.connect())
    } catch (error) {
      options.onLink?.({ state: 'failed', attempts: 0, nextAttemptAt: null, error: plainReport(error) })
      throw error
    }
  }

  private constructor(options: SshLinkOptions, connection: LinkedConnection) {
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.place = connection.place
    this.hostKey = connection.hostKey
    this.#lost = connection.lost()
    this.impatient = {
      place: this.place,
      exec: async (command, urgent) => (await this.#connected(false)).exec(command, urgent),
      connectPort: async (port) => (await this.#connected(false)).connectPort(port),
      lost: () => this.lost(),
    }
    this.#use(connection)
  }

  /** Whether there is a connection, as far as is known. */
  get up(): boolean {
    return this.#connection !== null
  }

  /** How many connections there were. */
  get connections(): number {
    return this.#connections
  }

  /** True after {@link close}, and while the link is given up. */
  get closed(): boolean {
    return this.closing.aborted || this.#givenUp
  }

  /** Aborts with {@link close}, not when the link is given up. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  lost(): EdgesmithError {
    return this.#lost
  }

  async exec(command: string, urgent?: boolean): Promise<RunningProcess> {
    return (await this.#connected(true)).exec(command, urgent)
  }

  async connectPort(port: number): Promise<Duplex> {
    return (await this.#connected(true)).connectPort(port)
  }

  /**
   * Waits until there is a connection.
   * @throws EdgesmithError CONNECTION_LOST (given up), JOB_CANCELLED, or what trying again cannot mend (HOST_KEY_CHANGED, DEVICE_AUTH_FAILED, …)
   */
  async ready(signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal)
    await this.#connected(true, signal)
  }

  /**
   * Does something again that a broken connection ended, as long as the link is not given up. For what can be repeated.
   * @throws EdgesmithError JOB_CANCELLED, what {@link ready} throws, and what the work throws
   */
  async persist<T>(work: () => Promise<T>, signal?: AbortSignal, onBreak?: () => void): Promise<T> {
    for (;;) {
      await this.ready(signal)
      try {
        return await soonAfterAbort(work(), signal, tidyMs)
      } catch (error) {
        if (!isLoss(error) || this.closed) throw error
        throwIfCancelled(signal)
        onBreak?.()
      }
    }
  }

  /** Has something done before {@link close} takes the connection away, at most a second long. The answer takes that back. */
  beforeClosing(farewell: () => Promise<void>): () => void {
    this.#farewells.add(farewell)
    return () => void this.#farewells.delete(farewell)
  }

  close(): void {
    if (this.closing.aborted) return
    this.#closing.abort()
    this.#hurry.abort()
    const connection = this.#connection
    this.#connection = null
    this.#lost = new EdgesmithError('CONNECTION_LOST', `The connection to ${this.place} was closed`)
    this.#settle(() => true, this.#lost)
    // An SSH server drops what it received just before the end of the connection.
    if (connection && this.#farewells.size > 0) {
      const farewells = Promise.allSettled([...this.#farewells].map((farewell) => farewell()))
      void within(farewells, tidyMs, null).then(() => connection.close())
    } else connection?.close()
  }

  #connected(patient: boolean, signal?: AbortSignal): Promise<LinkedConnection> {
    if (this.closing.aborted) return Promise.reject(this.#lost)
    if (this.#connection && !this.#connection.closed) return Promise.resolve(this.#connection)
    const soAgo = this.#lastAttempt ? this.#clock.nowMs() - this.#lastAttempt.endedAtMs : Number.POSITIVE_INFINITY
    if (!patient && soAgo < shortestPauseMs) return Promise.reject(this.#lastAttempt?.error)
    let waiter: Waiter | undefined
    const connection = new Promise<LinkedConnection>((resolve, reject) => {
      waiter = { patient, resolve, reject }
      this.#waiters.add(waiter)
    })
    if (!this.#mending) void this.#mend(0)
    else if (soAgo >= shortestPauseMs) this.#hurry.abort()
    return untilAborted(connection, signal).finally(() => waiter && this.#waiters.delete(waiter))
  }

  #use(connection: LinkedConnection): void {
    this.#connection = connection
    this.#connections++
    this.#givenUp = false
    this.#lastAttempt = null
    this.#report('ready', 0, null, null)
    void connection.onClose.then(() => {
      if (this.#connection !== connection) return
      this.#connection = null
      this.#lost = connection.lost()
      this.#options.onLog?.(`Link lost${connection.closeReason ? `: ${connection.closeReason}` : ''}`)
      if (!this.#mending) void this.#mend(backOffMs[0])
    })
  }

  /** Tries until there is a connection, the link is closed or given up. */
  async #mend(firstPauseMs: number): Promise<void> {
    this.#mending = true
    const brokenAtMs = this.#clock.nowMs()
    let pauseMs = firstPauseMs
    for (let attempts = 0; ; attempts++) {
      if (pauseMs > 0) await this.#pause(pauseMs, attempts)
      if (this.closing.aborted) return
      this.#report('reconnecting', attempts + 1, null, null)
      try {
        const connection = await this.#options.connect()
        if (this.closing.aborted) return connection.close()
        this.#mending = false
        this.#use(connection)
        this.#options.onLog?.(`Connected again after ${Math.round((this.#clock.nowMs() - brokenAtMs) / 1000)} s`)
        for (const waiter of this.#waiters) waiter.resolve(connection)
        return
      } catch (error) {
        if (this.closing.aborted) return
        const nowMs = this.#clock.nowMs()
        this.#lastAttempt = { endedAtMs: nowMs, error }
        this.#options.onLog?.(error instanceof Error ? error.message : String(error))
        const inVain = !(error instanceof EdgesmithError) || hopeless.has(error.code)
        const wanted = [...this.#waiters].some(({ patient }) => patient)
        const { giveUpAfterMs = defaultGiveUpAfterMs, idleGiveUpAfterMs = defaultIdleGiveUpAfterMs } = this.#options
        if (inVain || nowMs - brokenAtMs >= (wanted ? giveUpAfterMs : idleGiveUpAfterMs)) return this.#giveUp(error, inVain, attempts + 1)
        this.#settle(({ patient }) => !patient, error)
        pauseMs = backOffMs[Math.min(attempts + (firstPauseMs > 0 ? 1 : 0), backOffMs.length - 1)] ?? 0
      }
    }
  }

  async #pause(ms: number, attempts: number): Promise<void> {
    this.#report('reconnecting', attempts, this.#clock.nowMs() + ms, null)
    this.#options.onLog?.(`Trying again in ${ms / 1000} s`)
    this.#hurry = new AbortController()
    // For a link nobody needs a program that is done need not stay.
    await this.#clock.wait(ms, this.#waiters.size > 0, this.#hurry.signal).catch(() => undefined)
  }

  #giveUp(error: unknown, inVain: boolean, attempts: number): void {
    this.#mending = false
    this.#givenUp = true
    this.#report('failed', attempts, null, error)
    this.#options.onLog?.('Given up; the next use tries again')
    this.#settle(({ patient }) => !patient || inVain, error)
    this.#settle(() => true, this.#lost)
  }

  #settle(which: (waiter: Waiter) => boolean, error: unknown): void {
    for (const waiter of [...this.#waiters].filter(which)) {
      this.#waiters.delete(waiter)
      waiter.reject(error)
    }
  }

  #report(state: LinkReport['state'], attempts: number, nextAttemptAtMs: number | null, error: unknown): void {
    const nextAttemptAt = nextAttemptAtMs === null ? null : new Date(nextAttemptAtMs).toISOString()
    this.#options.onLink?.({ state, attempts, nextAttemptAt, error: error === null ? null : plainReport(error) })
  }
}

/** Whether an error says only that the connection broke. */
export function isLoss(error: unknown): boolean {
  return error instanceof EdgesmithError && error.code === 'CONNECTION_LOST'
}
