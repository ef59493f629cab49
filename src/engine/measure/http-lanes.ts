import { setTimeout as sleep } from 'node:timers/promises'
import { HttpConnection } from './http-connection.ts'
import { mergeSamples, SampleRecorder, type Samples } from './sample-recorder.ts'
import { TICK_MS, throwIfCancelled } from './timed-runs.ts'

/** Where requests go, and what is said to it. */
export interface HttpTarget {
  readonly port: number
  /** Head and body of one request. */
  readonly request: Buffer
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
  /** What the first of them was. */
  readonly firstError: string | undefined
  /** From the start to the last answer. */
  readonly elapsedMs: number
  /** Most requests that were due and not answered at the same time. */
  readonly longestQueue: number
  /** Requests that were due and not answered when sending was stopped. */
  readonly unanswered: number
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

  /** A request has become due. */
  due(): void {
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
    this.#firstError ??= failure
  }

  async #ask(lane: Lane, dueMs: number): Promise<string | undefined> {
    try {
      lane.connection ??= await HttpConnection.open(this.#target.port)
    } catch (error) {
      await sleep(REFUSED_PAUSE_MS)
      return String(error)
    }
    const { connection } = lane
    try {
      const { status, body } = await connection.send(this.#target.request)
      const latencyMs = this.elapsedMs() - dueMs
      if (status !== 200) return `${status} ${body.toString('utf8', 0, 500)}`
      lane.samples.add(dueMs, latencyMs)
      const serviceMs = this.#target.serviceMs(body)
      if (serviceMs !== undefined) lane.service.add(0, serviceMs)
      return undefined
    } catch (error) {
      lane.connection = undefined
      connection.close()
      return String(error)
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
        firstError: this.#firstError,
        elapsedMs: this.#lastAnswerMs,
        longestQueue: this.#longestQueue,
        unanswered: this.#open,
      }
    } finally {
      clearInterval(ticker)
      signal.removeEventListener('abort', close)
      close()
    }
  }
}

/** A connection, opened when it is needed, and the samples taken on it. */
export class Lane {
  connection: HttpConnection | undefined
  readonly samples = new SampleRecorder()
  readonly service = new SampleRecorder()
}
