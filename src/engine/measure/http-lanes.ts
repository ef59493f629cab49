import { setTimeout as sleep } from 'node:timers/promises'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { HttpConnection } from './http-connection.ts'
import { mergeSamples, SampleRecorder, type Samples } from './sample-recorder.ts'
import { TICK_MS } from './timed-runs.ts'

/** Where requests go, and what is said to it. */
export interface HttpTarget {
  readonly port: number
  /** Head and body of each request; several are sent by turns. */
  readonly requests: readonly [Buffer, ...Buffer[]]
  /** Milliseconds the server says it spent on an answer; `undefined` where it does not say. */
  readonly serviceMs: (body: Buffer) => number | undefined
}

export interface HttpLoadOptions {
  /** Milliseconds since any start. */
  readonly now: () => number
  /** Called about ten times a second with the requests answered so far. */
  readonly onTick: (answered: number, elapsedMs: number) => void
  readonly signal: AbortSignal
}

/** Samples of requests that were answered with 200, in the order they were due; offsets are those moments. */
export interface HttpRuns extends Samples {
  /** What the server says it spent, in no order. */
  readonly serviceMs: Float32Array
  /** Requests answered with another status, or not at all. */
  readonly errors: number
  /** The same by what happened: `status 503`, or the code of the connection's error. */
  readonly errorKinds: ReadonlyMap<string, number>
  /** What the first of them was. */
  readonly firstError: string | undefined
  /** From the start to the last answer. */
  readonly elapsedMs: number
  /** Most requests that were due and not answered at the same time. */
  readonly longestQueue: number
  /** Requests that were due and not answered when sending was stopped. */
  readonly unanswered: number
  /** How long after its moment this program handed each request on: to a connection, or to those waiting for one. */
  readonly lateMs: Float32Array
  readonly connections: number
}

/** A request that was not answered with 200. */
interface Failure {
  readonly kind: string
  readonly text: string
}

/** A server that takes no connections is not asked in a tight loop. */
const REFUSED_PAUSE_MS = 10

/** Requests sent over several keep-alive connections, and what came of them. */
export class HttpLanes {
  readonly startMs: number
  readonly #target: HttpTarget
  readonly #options: HttpLoadOptions
  readonly #lanes: Lane[] = []
  #answered = 0
  #errors = 0
  #firstError: string | undefined
  readonly #errorKinds = new Map<string, number>()
  readonly #late = new SampleRecorder()
  #sent = 0
  #lastAnswerMs = 0
  #open = 0
  #longestQueue = 0

  constructor(target: HttpTarget, options: HttpLoadOptions) {
    this.#target = target
    this.#options = options
    this.startMs = options.now()
  }

  get count(): number {
    return this.#lanes.length
  }

  /** Since the start. */
  elapsedMs(): number {
    return this.#options.now() - this.startMs
  }

  add(): Lane {
    const lane = new Lane()
    this.#lanes.push(lane)
    return lane
  }

  /** A request has become due, `lateMs` ago. */
  due(lateMs = 0): void {
    this.#late.add(0, lateMs)
    this.#longestQueue = Math.max(this.#longestQueue, ++this.#open)
  }

  /** Sends a request that became due `dueMs` after the start, and records what comes of it. A failure of it is counted, not thrown. */
  async request(lane: Lane, dueMs: number): Promise<void> {
    const failure = await this.#ask(lane, dueMs)
    this.#open--
    this.#lastAnswerMs = this.elapsedMs()
    if (failure === undefined) {
      this.#answered++
      return
    }
    this.#errors++
    this.#firstError ??= failure.text
    this.#errorKinds.set(failure.kind, (this.#errorKinds.get(failure.kind) ?? 0) + 1)
  }

  async #ask(lane: Lane, dueMs: number): Promise<Failure | undefined> {
    const { port, requests } = this.#target
    // A server ends connections that nobody uses.
    if (lane.connection?.closed) lane.connection = undefined
    try {
      lane.connection ??= await HttpConnection.open(port)
    } catch (error) {
      await sleep(REFUSED_PAUSE_MS)
      return broken(error)
    }
    const { connection } = lane
    const request = requests[this.#sent++ % requests.length] as Buffer
    try {
      const { status, body } = await connection.send(request)
      const latencyMs = this.elapsedMs() - dueMs
      if (status !== 200) return { kind: `status ${status}`, text: `${status} ${body.toString('utf8', 0, 500)}` }
      lane.samples.add(dueMs, latencyMs)
      const serviceMs = this.#target.serviceMs(body)
      if (serviceMs !== undefined) lane.service.add(0, serviceMs)
      return undefined
    } catch (error) {
      lane.connection = undefined
      connection.close()
      return broken(error)
    }
  }

  /**
   * Does the work, reports ten times a second, and answers what was found; connections are closed whatever happens.
   * @throws EdgesmithError `JOB_CANCELLED`
   */
  async measure(work: () => Promise<unknown>): Promise<HttpRuns> {
    const { signal, onTick } = this.#options
    throwIfCancelled(signal)
    const close = () => {
      for (const { connection } of this.#lanes) connection?.close()
    }
    signal.addEventListener('abort', close, { once: true })
    const ticker = setInterval(() => onTick(this.#answered, this.elapsedMs()), TICK_MS)
    try {
      await work()
      throwIfCancelled(signal)
      const samples = mergeSamples(this.#lanes.map((lane) => lane.samples.samples(0)))
      const service = mergeSamples(this.#lanes.map((lane) => lane.service.samples(0)))
      return {
        ...samples,
        serviceMs: service.latenciesMs,
        errors: this.#errors,
        errorKinds: this.#errorKinds,
        firstError: this.#firstError,
        elapsedMs: this.#lastAnswerMs,
        longestQueue: this.#longestQueue,
        unanswered: this.#open,
        lateMs: this.#late.samples().latenciesMs,
        connections: this.#lanes.length,
      }
    } finally {
      clearInterval(ticker)
      signal.removeEventListener('abort', close)
      close()
    }
  }
}

function broken(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'connection'
  return { kind: code, text: String(error) }
}

/** A connection, opened when it is needed, and the samples taken on it. */
export class Lane {
  connection: HttpConnection | undefined
  readonly samples = new SampleRecorder()
  readonly service = new SampleRecorder()
}
