import type { Worker } from 'node:worker_threads'
import { EdgesmithError, fromErrorReport } from '../../../contract/errors.ts'
import type { NamedTensors, Port } from '../../../core/inference-runtime.ts'
import { HttpError } from '../http-error.ts'
import { copiedTensors } from './tensor-transfer.ts'
import type { WorkerCommand, WorkerReport } from './worker-messages.ts'

/** What a thread said of its model. */
export interface ModelPorts {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

interface Run {
  readonly resolve: (outputs: NamedTensors) => void
  readonly reject: (error: Error) => void
}

/** A thread with a loaded model, seen from the thread that gives it work. */
export class ModelThread {
  /** Rejects when the model cannot be loaded. @throws EdgesmithError as loading does; `MODEL_LOAD_FAILED` when the thread died meanwhile */
  readonly loaded: Promise<ModelPorts>
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #runs = new Map<number, Run>()
  #next = 0
  #state: 'loading' | 'ready' | 'gone' = 'loading'
  #reason = 'without a word'

  /** @param onGone called when the thread is gone, however it went, before its runs fail */
  constructor(worker: Worker, onGone: (reason: string) => void) {
    this.#worker = worker
    this.loaded = new Promise((resolve, reject) => {
      worker.on('message', (report: WorkerReport) => {
        if (report.kind === 'loaded') {
          this.#state = 'ready'
          resolve({ inputs: report.inputs, outputs: report.outputs })
        } else if (report.kind === 'refused') {
          this.#reason = report.error.message
          reject(fromErrorReport(report.error))
        } else this.#finish(report)
      })
      worker.once('exit', () => reject(new EdgesmithError('MODEL_LOAD_FAILED', `A thread that loads the model ended: ${this.#reason}`)))
    })
    // Whoever waits for `loaded` sees it there; the thread may be replaced before anybody does.
    this.loaded.catch(() => {})
    // What a thread throws ends it; `exit` follows.
    worker.once('error', (error) => {
      this.#reason = error.message
    })
    this.#ended = new Promise((resolve) =>
      worker.once('exit', () => {
        this.#state = 'gone'
        onGone(this.#reason)
        for (const { reject } of this.#runs.values()) reject(this.#lost())
        this.#runs.clear()
        resolve()
      }),
    )
  }

  get isLoading(): boolean {
    return this.#state === 'loading'
  }

  /** Takes runs: loaded, alive. */
  get isReady(): boolean {
    return this.#state === 'ready'
  }

  /** Runs that were given to it and are not answered. */
  get depth(): number {
    return this.#runs.size
  }

  /** Runs the model once, after what it was given before. @throws EdgesmithError `MODEL_RUN_FAILED` */
  run(feeds: NamedTensors): Promise<NamedTensors> {
    return new Promise((resolve, reject) => {
      const id = this.#next++
      const { tensors, memory } = copiedTensors(feeds)
      this.#runs.set(id, { resolve, reject })
      this.#tell({ kind: 'run', id, feeds: tensors }, memory)
    })
  }

  /** Lets it finish what it was given, and end. */
  async end(): Promise<void> {
    this.#tell({ kind: 'end' })
    await this.#ended
  }

  #tell(command: WorkerCommand, memory: ArrayBuffer[] = []): void {
    this.#worker.postMessage(command, memory)
  }

  #finish(report: Extract<WorkerReport, { id: number }>): void {
    const run = this.#runs.get(report.id)
    this.#runs.delete(report.id)
    if (report.kind === 'ran') run?.resolve(report.outputs)
    else run?.reject(fromErrorReport(report.error))
  }

  /** Never the client's fault, as a run that fails may be. */
  #lost(): HttpError {
    return new HttpError('MODEL_RUN_FAILED', `The thread that ran the model ended: ${this.#reason}`, {
      hint: 'Does the model need more memory than there is?',
    })
  }
}
