import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceEvent } from '../../contract/routing.ts'
import { readBootId } from '../../platform/boot-id.ts'
import { diskFiles, replaceFile } from '../../platform/durable-files.ts'
import { endProcess } from '../../platform/processes.ts'
import { readIfThere } from '../../platform/read-file.ts'
import { appendEvent } from './event-file.ts'
import { readLaunch } from './launch.ts'
import { bindSocket, type ListeningSocket } from './listening-socket.ts'
import { isPartOf, processesOf } from './processes.ts'
import { ServingChild, type ServingEnd } from './serving-child.ts'
import { SupervisedLog } from './supervised-log.ts'
import { handOverFile, readSupervisorState, type SupervisorState } from './supervisor-state.ts'
import { isBeingChanged, undoChanges } from './undo-file.ts'

/** Exit code where there is nothing to supervise: stopped by the user, nothing to serve, or settings that no second try makes valid. */
export const nothingToDo = 78
/** Exit codes of `agent serve`. */
const wrongConfiguration = 2

const firstPauseMs = 1000
const longestPauseMs = 30_000
/** After this long a crash counts as the first one. */
const steadyMs = 60_000
const rotateEveryMs = 60_000
/** What reading the program's own text took is given back then: ten megabytes. */
const idleAfterMs = 3000
/** An orphan finishes what is in flight. */
const orphanGraceMs = 40_000

type Wish = 'stop' | 'hand-over'

/**
 * Keeps a service serving: holds the listening socket, starts the serving process on it, starts it again after a crash, and on request
 * starts a second one on the same socket and lets the first finish. Connections that come meanwhile wait in the socket.
 *
 * It imports no schema: it lives as long as the service, on boards with little memory.
 */
export class Supervisor {
  readonly #folder: string
  readonly #log: SupervisedLog
  #socket: ListeningSocket | null = null
  #child: ServingChild | null = null
  #stopping = false
  #handOverWanted = false
  #wake: () => void = () => undefined
  #bootId = ''
  readonly #startedAt = new Date().toISOString()
  #crashes = 0
  #handOvers = 0
  #handedOver: string | null = null
  /** Word of who asked for what was started last. */
  #begunFor: string | null = null
  #failure: string | null = null

  /** @param folder absolute path of the service */
  constructor(folder: string) {
    this.#folder = folder
    this.#log = new SupervisedLog(folder)
  }

  stop(): void {
    this.#stopping = true
    this.#wake()
  }

  handOver(): void {
    // A hand-over that is under way, asked for by somebody else, began after this one's word was written: it reads all that this one is about.
    const word = this.#readWord()
    if (word !== null && word === this.#begunFor && word !== this.#handedOver) return
    this.#handOverWanted = true
    this.#wake()
  }

  /** @returns the exit code */
  async run(): Promise<number> {
    this.#bootId = await readBootId()
    const other = await readSupervisorState(this.#folder)
    if (other && other.pid !== process.pid && (await isPartOf(other.pid, 'supervise', this.#folder))) return nothingToDo
    await this.#undoCutOffDeploy()
    if (existsSync(join(this.#folder, 'stopped')) || !existsSync(join(this.#folder, 'routing.json'))) return nothingToDo
    setTimeout(() => (globalThis as { gc?: () => void }).gc?.(), idleAfterMs).unref()
    const rotation = setInterval(() => this.#log.rotate(), rotateEveryMs)
    try {
      await this.#endOrphans()
      await this.#waitForSocket()
      return await this.#keepServing()
    } finally {
      clearInterval(rotation)
      await this.#child?.finish()
      this.#socket?.close()
      await diskFiles.remove(join(this.#folder, 'supervisor.json'))
    }
  }

  async #keepServing(): Promise<number> {
    let pauseMs = firstPauseMs
    while (!this.#stopping) {
      this.#log.rotate()
      const child = await this.#start()
      const end = child && (await this.#watch(child))
      if (this.#stopping) break
      if (end?.code === wrongConfiguration) {
        await this.#tell('failed', 'The serving process refuses its settings; it is not started again.')
        return nothingToDo
      }
      const lived = child ? performance.now() - child.startedAt : 0
      pauseMs = lived > steadyMs ? firstPauseMs : pauseMs
      await this.#pause(pauseMs)
      pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
    }
    return 0
  }

  /** Null where there is no agent to start. */
  async #start(): Promise<ServingChild | null> {
    this.#handOverWanted = false
    this.#begunFor = this.#readWord()
    await diskFiles.remove(join(this.#folder, 'state.json'))
    try {
      await this.#undoCutOffDeploy()
      this.#child = new ServingChild(this.#folder, await readLaunch(this.#folder), this.#socket?.fd ?? null, this.#log)
    } catch (error) {
      this.#child = null
      this.#crashes++
      await this.#fail(error instanceof Error ? error.message : String(error))
    }
    this.#handedOver = this.#begunFor
    await this.#writeState()
    return this.#child
  }

  /** Until the service has no process any more. */
  async #watch(first: ServingChild): Promise<ServingEnd | null> {
    let child = first
    for (;;) {
      const wish = await this.#next(child)
      if (wish === 'stop') {
        // Whoever connects from now on is refused at once, instead of waiting for a process that never comes.
        this.#socket?.close()
        await child.finish()
        return null
      }
      if (wish === 'hand-over') {
        child = await this.#replace(child)
        continue
      }
      this.#child = null
      this.#crashes++
      await this.#fail(`The serving process ended with ${wish.signal ?? `code ${wish.code}`}.`)
      await this.#tell('crashed', `The serving process ended with ${wish.signal ?? `code ${wish.code}`}.`)
      await this.#writeState()
      return wish
    }
  }

  /** Starts a second process and lets the first finish once the second one serves; answers the one that serves on. */
  async #replace(old: ServingChild): Promise<ServingChild> {
    this.#handOverWanted = false
    this.#begunFor = this.#readWord()
    let failure: string | null = null
    let next: ServingChild | null = null
    try {
      // Without a socket to share, the first must free its port.
      if (this.#socket === null) await old.finish()
      next = new ServingChild(this.#folder, await readLaunch(this.#folder), this.#socket?.fd ?? null, this.#log)
      if (!(await next.becomesReady(() => this.#stopping))) failure = 'The new serving process did not become ready; its log says why.'
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    this.#handOvers++
    this.#handedOver = this.#begunFor
    if (next === null || failure !== null) {
      await next?.finish()
      await this.#fail(failure ?? '')
      await this.#writeState()
      return old
    }
    this.#child = next
    this.#failure = null
    await this.#writeState()
    await old.finish()
    return next
  }

  /** At once, so that no signal comes in between; null where nobody left one. */
  #readWord(): string | null {
    try {
      return readFileSync(join(this.#folder, handOverFile), 'utf8').trim() || null
    } catch {
      return null
    }
  }

  /** What happens next to a process: it ends, or something is asked for. */
  async #next(child: ServingChild): Promise<Wish | ServingEnd> {
    for (;;) {
      if (this.#stopping) return 'stop'
      if (child.end !== null) return child.end
      if (this.#handOverWanted) return 'hand-over'
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([child.ended, woken])
    }
  }

  /** A request to hand over ends it: something was changed, so the next try may work. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopping || this.#handOverWanted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Ends processes that serve on, or are about to, after their supervisor was killed: they hold the port. */
  async #endOrphans(): Promise<void> {
    const text = await readIfThere(join(this.#folder, 'state.json'), 100_000).catch(() => null)
    const named = pidIn(text)
    const orphans = new Set([...(named === null ? [] : [named]), ...(await processesOf(this.#folder))])
    await Promise.all([...orphans].map((pid) => endProcess(pid, () => isPartOf(pid, 'serve', this.#folder), orphanGraceMs)))
  }

  /** A deploy that was cut off, by a loss of power for example, does not count: what was there before it does. */
  async #undoCutOffDeploy(): Promise<void> {
    if (!(await isBeingChanged(this.#folder))) await undoChanges(diskFiles, this.#folder)
  }

  /** Whoever has the port may go away again. */
  async #waitForSocket(): Promise<void> {
    let pauseMs = firstPauseMs
    while (!this.#stopping) {
      try {
        await this.#openSocket()
        return
      } catch (error) {
        await this.#fail(error instanceof Error ? error.message : String(error))
        await this.#writeState()
        await this.#pause(pauseMs)
        pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
      }
    }
  }

  async #openSocket(): Promise<void> {
    const { host, port } = JSON.parse((await readIfThere(join(this.#folder, 'service.json'), 20_000_000)) ?? '{}') as Record<
      string,
      unknown
    >
    if (typeof host !== 'string' || typeof port !== 'number') return
    this.#socket = bindSocket(host, port)
  }

  async #fail(text: string): Promise<void> {
    this.#failure = text
    this.#log.say('error', 'supervisor', { message: text })
  }

  /** A full disk does not end the service. */
  async #tell(kind: ServiceEvent['kind'], text: string): Promise<void> {
    const event = { at: new Date().toISOString(), kind, release: null, text }
    await appendEvent(diskFiles, join(this.#folder, 'events.jsonl'), event).catch((error: Error) =>
      this.#log.say('error', 'supervisor', { message: `An event could not be written: ${error.message}` }),
    )
  }

  async #writeState(): Promise<void> {
    const state: SupervisorState = {
      pid: process.pid,
      bootId: this.#bootId,
      startedAt: this.#startedAt,
      port: this.#socket?.port ?? null,
      child: this.#child?.pid ?? null,
      crashes: this.#crashes,
      handOvers: this.#handOvers,
      handedOver: this.#handedOver,
      failure: this.#failure,
    }
    await replaceFile(diskFiles, join(this.#folder, 'supervisor.json'), `${JSON.stringify(state)}\n`).catch((error: Error) =>
      this.#log.say('error', 'supervisor', { message: `supervisor.json could not be written: ${error.message}` }),
    )
  }
}

function pidIn(state: string | null): number | null {
  try {
    const { pid } = JSON.parse(state ?? '{}') as { pid?: unknown }
    return typeof pid === 'number' ? pid : null
  } catch {
    return null
  }
}
