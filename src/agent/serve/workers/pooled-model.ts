// Written to the process's own environment: a thread has a copy of it, which ONNX Runtime does not read.
import '../../../engine/runtimes/no-telemetry.ts'
import { stat } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { LoadedModel, NamedTensors } from '../../../core/inference-runtime.ts'
import { type ModelPorts, ModelThread } from './model-thread.ts'
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
  /** For the log: a thread ended that should not have. @param again whether it is started again */
  readonly onThreadEnd?: (reason: string, again: boolean) => void
}

/** A model that runs in threads beside the one that answers. Call {@link LoadedModel.close} before the process ends. */
export interface PooledModel extends LoadedModel {
  readonly workers: number
}

/** A thread that dies is started again, but not for ever: what kills it at once would do so again. */
const MOST_RESTARTS = 5
/** Restarts are forgotten after this time without one. */
const CALM_MS = 60_000

/**
 * Loads a model into threads. Each run goes to the thread with the least to do. A thread that dies fails its runs and is started again; the
 * others go on meanwhile.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` (another hash), `MODEL_LOAD_FAILED` and relatives; no thread is left then
 */
export async function loadPooledModel(options: PooledModelOptions): Promise<PooledModel> {
  const { threads, workers } = options
  const count = workers ?? workerCount({ ...machine(), threads, modelBytes: await sizeOf(options.modelPath) })
  const pool = new Pool(count, options)
  const ports = await pool.open()
  return { ...ports, workers: count, run: (feeds) => pool.run(feeds), close: () => pool.close() }
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

class Pool {
  readonly #options: PooledModelOptions
  readonly #threads: ModelThread[]
  #restarts = 0
  #lastEndMs = Number.NEGATIVE_INFINITY
  #state: 'opening' | 'open' | 'closing' = 'opening'

  constructor(count: number, options: PooledModelOptions) {
    this.#options = options
    this.#threads = Array.from({ length: count }, (_, index) => this.#start(index))
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
      // All ended a moment ago: the first that is back takes it. When none comes back, neither does the least busy one exist.
      const starting = this.#threads.filter(({ isLoading }) => isLoading)
      await Promise.any(starting.map(({ loaded }) => loaded)).catch(() => {})
      thread = this.#leastBusy()
    }
    if (thread !== undefined) return thread.run(feeds)
    throw new EdgesmithError('MODEL_RUN_FAILED', 'No thread is left that could run the model: they end again and again.', {
      hint: 'Restart the service; give it fewer workers if memory is short.',
    })
  }

  async close(): Promise<void> {
    this.#state = 'closing'
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
    if (now - this.#lastEndMs > CALM_MS) this.#restarts = 0
    this.#lastEndMs = now
    const again = this.#restarts < MOST_RESTARTS
    this.#options.onThreadEnd?.(reason, again)
    if (!again) return
    this.#restarts++
    this.#threads[index] = this.#start(index)
  }
}

function startModelThread(options: WorkerOptions): Worker {
  const file = process.argv[1]
  if (file === undefined) throw new Error('the program does not know its file')
  return new Worker(file, { ...options, argv: ['model'] })
}
