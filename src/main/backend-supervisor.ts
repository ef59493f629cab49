import { type ChildProcess, fork } from 'node:child_process'
import { type BackendEvent, backendEventSchema } from '../contract/backend-event.ts'
import { type BackendMessage, type BackendRequest, backendMessageSchema } from '../contract/bridge.ts'
import { EdgesmithError, type ErrorReport, toErrorReport } from '../contract/errors.ts'
import type { NodeRuntime } from './node-runtime.ts'
import type { SecretVault } from './secret-vault.ts'

export type Answer = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: ErrorReport }

export interface SupervisorOptions {
  readonly entry: string
  readonly runtime: NodeRuntime
  readonly vault: SecretVault
  readonly emit: (event: BackendEvent) => void
}

/** A backend that dies this often within a minute will not get better by starting it again. */
const MAX_RESTARTS_PER_MINUTE = 5
/** Time the backend gets to cancel jobs and close files when the window is closed. */
const SHUTDOWN_MS = 8000

/**
 * Starts the backend process, passes calls to it, and starts it again when it dies. Calls under way when it dies are answered with
 * BACKEND_DIED; calls made while it starts wait for it.
 */
export class BackendSupervisor {
  private readonly options: SupervisorOptions
  private readonly waiting = new Map<number, (answer: Answer) => void>()
  private child: ChildProcess | undefined
  private ready: Promise<void> = Promise.resolve()
  private starts: number[] = []
  private sequence = 0
  private closing = false
  private failure: ErrorReport | undefined

  constructor(options: SupervisorOptions) {
    this.options = options
    this.start(null)
  }

  /** Passes a call to the backend. Never rejects: errors come back as reports. */
  async call(name: string, input: unknown): Promise<Answer> {
    await this.ready
    const { child } = this
    if (!child?.connected) {
      const died = new EdgesmithError('BACKEND_DIED', 'The backend is not running', {
        hint: 'Restart Edgesmith; the log in the terminal has the reason.',
      })
      return { ok: false, error: this.failure ?? toErrorReport(died) }
    }
    const id = ++this.sequence
    return new Promise((resolve) => {
      this.waiting.set(id, resolve)
      this.send({ kind: 'call', id, name, input })
    })
  }

  /** Process id, for tests that kill it. */
  get pid(): number | undefined {
    return this.child?.pid
  }

  /** Asks the backend to end its jobs and exit; kills it after a grace time. */
  async close(): Promise<void> {
    this.closing = true
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    this.send({ kind: 'shutdown' })
    const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_MS)
    await ended
    clearTimeout(timer)
  }

  /** @param reason why the one before it ended; null at the first start */
  private start(reason: string | null): void {
    const { entry, runtime } = this.options
    this.announce(reason === null ? 'starting' : 'restarting', reason)
    this.starts.push(Date.now())
    const environment: NodeJS.ProcessEnv = { ...process.env, ...runtime.environment }
    if (!runtime.environment.ELECTRON_RUN_AS_NODE) delete environment.ELECTRON_RUN_AS_NODE
    const child = fork(entry, [], { execPath: runtime.execPath, execArgv: [], serialization: 'advanced', env: environment })
    this.child = child
    this.ready = new Promise((resolve) => {
      child.on('message', (raw) => {
        const message = backendMessageSchema.safeParse(raw)
        if (!message.success) return console.error('unknown message from the backend:', message.error.issues[0]?.message)
        if (message.data.kind === 'ready') {
          this.announce('ready', null)
          resolve()
        } else this.receive(message.data)
      })
      child.once('exit', (code, signal) => {
        resolve()
        this.onExit(signal ? `killed by ${signal}` : `exit code ${code}`)
      })
    })
    child.once('error', (error) => console.error('the backend could not be started:', error.message))
  }

  private onExit(reason: string): void {
    const died = toErrorReport(
      new EdgesmithError('BACKEND_DIED', `The backend stopped (${reason}) while it worked on this`, {
        hint: 'It is being started again; try once more.',
      }),
    )
    for (const answer of this.waiting.values()) answer({ ok: false, error: died })
    this.waiting.clear()
    if (this.closing) return
    this.starts = this.starts.filter((at) => at > Date.now() - 60_000)
    if (this.failure || this.starts.length >= MAX_RESTARTS_PER_MINUTE) this.announce('failed', this.failure?.message ?? reason)
    else this.start(reason)
  }

  private receive(message: Exclude<BackendMessage, { kind: 'ready' }>): void {
    switch (message.kind) {
      case 'answer':
        this.settle(message.id, { ok: true, output: message.output })
        break
      case 'refusal':
        this.settle(message.id, { ok: false, error: message.error as ErrorReport })
        break
      case 'event': {
        const event = backendEventSchema.safeParse(message.event)
        if (event.success) this.options.emit(event.data)
        break
      }
      case 'failed':
        this.failure = message.error as ErrorReport
        break
      case 'secret':
        this.send({ kind: 'secret', id: message.id, value: this.secret(message) })
        break
    }
  }

  private secret({ action, key, value }: Extract<BackendMessage, { kind: 'secret' }>): string | null {
    const { vault } = this.options
    if (action === 'get') return vault.get(key)
    if (action === 'put' && value !== undefined) vault.put(key, value)
    if (action === 'remove') vault.remove(key)
    return null
  }

  private settle(id: number, answer: Answer): void {
    this.waiting.get(id)?.(answer)
    this.waiting.delete(id)
  }

  private send(request: BackendRequest): void {
    if (this.child?.connected) this.child.send(request)
  }

  private announce(state: Extract<BackendEvent, { type: 'backend' }>['state'], reason: string | null): void {
    this.options.emit({ type: 'backend', state, at: new Date().toISOString(), reason })
  }
}
