// Written to the process's own environment: a thread has a copy of it, which ONNX Runtime does not read.
import '../../../engine/runtimes/no-telemetry.ts'
import { stat } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { LoadedModel, NamedTensors } from '../../../core/inference-runtime.ts'
import { HttpError } from '../http-error.ts'
import { type ModelPorts, ModelThread } from './model-thread.ts'
import { RestartPauses } from './restart-pauses.ts'
import { workerCount } from './worker-count.ts'
import type { WorkerOrder } from './worker-messages.ts'

export interface PooledModelOptions {
  readonly modelPath: string
  /** Checked by each thread that reads the file; left out where nobody knows it. */
  readonly modelSha256?: string
  /** Threads inside an operator. */
  readonly threads: number
  /** How many threads run it beside each other; null lets processors and memory decide (see `worker-count.ts`). */
  readonly workers: number | null
  /** Default: this program again, with the command `model`. */
  readonly startThread?: (options: WorkerOptions) => Worker
  /** For the log: a thread ended that should not have. @param pauseMs after which it is started again */
  readonly onThreadEnd?: (reason: string, pauseMs: number) => void
  /** Before a thread is started again that dies again and again; doubles with each death. */
  readonly firstPauseMs?: number
}

/** Why a model takes no runs right now. */
export interface Downtime {
  /** What ended the last thread. */
  readonly reason: string
  /** Until the next attempt, 1 at least. */
  readonly retrySeconds: number
}

/** How the threads of a model are. */
export interface PoolState {
  /** Null where runs are taken, or wait for a thread that is back in a moment. */
  readonly downtime: Downtime | null
  /** Threads that take runs. */
  readonly readyThreads: number
  /** Threads that ended and should not have, so far. */
  readonly threadEnds: number
}

/** A model that runs in threads beside the one that answers. Call {@link LoadedModel.close} before the process ends. */
export interface PooledModel extends LoadedModel {
  readonly workers: number
  readonly state: PoolState
}

const FIRST_PAUSE_MS = 5000

/**
 * Loads a model into threads. Each run goes to the thread with the least to do. A thread that dies fails its runs and is started again; the
 * others go on meanwhile. While all of them die again and again, runs are refused at once (HttpError `NOT_READY`), and from time to time, less
 * and less often, it is tried whether they live again.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` (another hash), `MODEL_LOAD_FAILED` and relatives; no thread is left then
 */
export async function loadPooledModel(options: PooledModelOptions): Promise<PooledModel> {
  const { threads, workers } = options
  const count = workers ?? workerCount({ ...machine(), threads, modelBytes: await sizeOf(options.modelPath) })
  const pool = new Pool(count, options)
  const ports = await pool.open()
  return { ...ports, workers: count, state: pool, run: (feeds) => pool.run(feeds), close: () => pool.close() }
}

function machine(): { processors: number; memoryBytes: number } {
  const limit = process.constrainedMemory()
  const memoryBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return { processors: availableParallelism(), memoryBytes }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => {
    throw new EdgesmithError('FILE_NOT_FOUND', `The model ${path} does not exist.`)
  })
  return found.size
}

class Pool implements PoolState {
  threadEnds = 0
  readonly #options: PooledModelOptions
  readonly #threads: ModelThread[]
  readonly #pauses: RestartPauses
  /** Threads that will be started again, and when on the clock of `performance.now()`. */
  readonly #starts = new Map<NodeJS.Timeout, number>()
  #lastReason = ''
  #state: 'opening' | 'open' | 'closing' = 'opening'

  constructor(count: number, options: PooledModelOptions) {
    this.#options = options
    this.#pauses = new RestartPauses(options.firstPauseMs ?? FIRST_PAUSE_MS)
    this.#threads = Array.from({ length: count }, (_, index) => this.#start(index))
  }

  get readyThreads(): number {
    return this.#threads.filter(({ isReady }) => isReady).length
  }

  get downtime(): Downtime | null {
    if (!this.#pauses.isPausing || this.readyThreads > 0) return null
    const nextMs = Math.min(...this.#starts.values()) - performance.now()
    return { reason: this.#lastReason, retrySeconds: Number.isFinite(nextMs) ? Math.max(1, Math.ceil(nextMs / 1000)) : 1 }
  }

  /** Waits until all have loaded the model. */
  async open(): Promise<ModelPorts> {
    try {
      const [ports] = await Promise.all(this.#threads.map(({ loaded }) => loaded))
      this.#state = 'open'
      return ports as ModelPorts
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async run(feeds: NamedTensors): Promise<NamedTensors> {
    let thread = this.#leastBusy()
    if (thread === undefined) {
      this.#refuseWhileDown()
      // All ended a moment ago: the first that is back takes it. When none comes back, neither does the least busy one exist.
      const starting = this.#threads.filter(({ isLoading }) => isLoading)
      await Promise.any(starting.map(({ loaded }) => loaded)).catch(() => {})
      thread = this.#leastBusy()
    }
    if (thread !== undefined) return thread.run(feeds)
    this.#refuseWhileDown()
    throw new HttpError('NOT_READY', 'The thread that runs the model is being started again.', { headers: { 'retry-after': '1' } })
  }

  /** @throws HttpError `NOT_READY` */
  #refuseWhileDown(): void {
    const { downtime } = this
    if (downtime === null) return
    const { reason, retrySeconds } = downtime
    throw new HttpError('NOT_READY', `The model cannot run: the threads that run it end again and again (${reason}).`, {
      hint: `It is tried again in ${retrySeconds} s. Where memory is short, fewer workers help.`,
      headers: { 'retry-after': String(retrySeconds) },
    })
  }

  async close(): Promise<void> {
    this.#state = 'closing'
    for (const start of this.#starts.keys()) clearTimeout(start)
    this.#starts.clear()
    await Promise.all(this.#threads.map((thread) => thread.end()))
  }

  #leastBusy(): ModelThread | undefined {
    let found: ModelThread | undefined
    for (const thread of this.#threads) {
      if (thread.isReady && (found === undefined || thread.depth < found.depth)) found = thread
    }
    return found
  }

  #start(index: number): ModelThread {
    const { modelPath, modelSha256 = null, threads, startThread = startModelThread } = this.#options
    const workerData: WorkerOrder = { modelPath, modelSha256, threads }
    return new ModelThread(startThread({ workerData, name: `model ${index}` }), (reason) => this.#replace(index, reason))
  }

  #replace(index: number, reason: string): void {
    if (this.#state !== 'open') return
    const now = performance.now()
    this.threadEnds++
    this.#lastReason = reason
    const pauseMs = this.#pauses.died(now)
    this.#options.onThreadEnd?.(reason, pauseMs)
    const start = () => {
      try {
        this.#threads[index] = this.#start(index)
      } catch (error) {
        // The system gives no thread: as good as one that died at once, and no reason to end the process.
        this.#replace(index, error instanceof Error ? error.message : String(error))
      }
    }
    if (pauseMs === 0) {
      start()
      return
    }
    const later = setTimeout(() => {
      this.#starts.delete(later)
      start()
    }, pauseMs)
    this.#starts.set(later, now + pauseMs)
  }
}

function startModelThread(options: WorkerOptions): Worker {
  const file = process.argv[1]
  if (file === undefined) throw new Error('the program does not know its file')
  return new Worker(file, { ...options, argv: ['model'] })
}
