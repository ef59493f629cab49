import type { Worker, WorkerOptions } from 'node:worker_threads'
import { type ErrorReport, toErrorReport } from '../../contract/errors.ts'
import type { PredictionLogSettings } from '../../contract/monitoring.ts'
import type { MetricFamily } from '../serve/metrics/metric-text.ts'
import type { ObservedPrediction, PredictionObserver } from '../serve/prediction-observer.ts'
import type { ServiceLog } from '../serve/service-log.ts'
import type { BatchedRow, PredictionLogCommand, PredictionLogOrder, PredictionLogReport } from './prediction-log-thread.ts'
import { RowPacker } from './row-packer.ts'

/** A batch is written when it has so many rows or is so old: a transaction costs the card about the same whatever its size. */
const BATCH_ROWS = 500
const BATCH_MS = 1000
/** Rows that may wait for a slow disk; more are not logged, and counted. */
const MOST_WAITING_ROWS = 5000
/** Closing waits so long for the disk. */
const CLOSE_MS = 5000

/** Where a log stands. */
export interface PredictionLogState {
  readonly isWriting: boolean
  /** Rows that are in the file's last transactions, and will be there after the process was killed. */
  readonly writtenRows: number
  /** Rows that were to be logged and are not. */
  readonly droppedRows: number
  /** Why it stopped. */
  readonly error: ErrorReport | null
}

export interface PredictionLogOptions {
  readonly settings: PredictionLogSettings
  readonly log: ServiceLog
  /** Starts a thread that calls `runPredictionLog`. */
  readonly startThread: (options: WorkerOptions) => Worker
  /** Decides which predictions are logged. */
  readonly random?: () => number
}

/**
 * Logs predictions with their inputs into a SQLite file: private data, so only where somebody has asked for it. A thread of its own writes; when
 * it cannot (disk full, file damaged) one line says so in the service's log and the service goes on without.
 */
export class PredictionLog implements PredictionObserver {
  readonly #share: number
  readonly #random: () => number
  readonly #log: ServiceLog
  readonly #thread: Worker
  readonly #packer = new RowPacker()
  readonly #closed: Promise<void>
  #rows: BatchedRow[] = []
  #timer: NodeJS.Timeout | undefined
  #waitingRows = 0
  #writtenRows = 0
  #droppedRows = 0
  #error: ErrorReport | null = null
  #isClosing = false

  constructor({ settings, log, startThread, random = Math.random }: PredictionLogOptions) {
    this.#share = settings.share
    this.#random = random
    this.#log = log
    const order: PredictionLogOrder = { path: settings.path, retention: { days: settings.days, bytes: settings.bytes } }
    this.#thread = startThread({ workerData: order })
    this.#thread.unref()
    this.#closed = new Promise((resolve) => {
      this.#thread.on('message', (report: PredictionLogReport) => {
        if (report.kind === 'written') this.#wrote(report.rows)
        else if (report.kind === 'failed') this.#fail(report.error)
      })
      this.#thread.on('error', (error) => this.#fail(toErrorReport(error)))
      this.#thread.on('exit', () => {
        if (!this.#isClosing) this.#fail({ code: 'INTERNAL', message: 'The thread of the prediction log ended.' })
        resolve()
      })
    })
  }

  get state(): PredictionLogState {
    return {
      isWriting: this.#error === null && !this.#isClosing,
      writtenRows: this.#writtenRows,
      droppedRows: this.#droppedRows,
      error: this.#error,
    }
  }

  predicted({ samples, answers, latencyMs, requestId, at, version }: ObservedPrediction): void {
    if (this.#error || this.#isClosing) return
    for (const [index, sample] of samples.entries()) {
      const answer = answers[index]
      if (!answer || (this.#share < 1 && this.#random() >= this.#share)) continue
      if (this.#waitingRows + this.#rows.length >= MOST_WAITING_ROWS) {
        this.#droppedRows++
        continue
      }
      if (!this.#packer.isRoomy) this.#flush()
      const { class: predicted = null, confidence = null } = answer.prediction ?? {}
      this.#rows.push({ atMs: at, requestId, latencyMs, class: predicted, confidence, ...this.#packer.add(sample, answer, version) })
      if (this.#rows.length >= BATCH_ROWS) this.#flush()
    }
    if (this.#rows.length > 0) this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref()
  }

  /** Writes what waits and closes the file. Waits at most five seconds for the disk. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.#closed
    this.#flush()
    this.#isClosing = true
    this.#thread.ref()
    this.#say({ kind: 'close' })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS, 'late')
    })
    const end = await Promise.race([this.#closed, late])
    clearTimeout(timer)
    if (end !== 'late') return
    this.#log.error('prediction-log-stopped', { message: 'The disk is too slow to write the last predictions.', rows: this.#waitingRows })
    this.#droppedRows += this.#waitingRows
    await this.#thread.terminate()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    this.#waitingRows += rows.length
    const numbers = this.#packer.take()
    this.#say({ kind: 'append', rows, numbers }, [numbers.buffer])
  }

  #say(command: PredictionLogCommand, transferred: ArrayBuffer[] = []): void {
    this.#thread.postMessage(command, transferred)
  }

  #wrote(rows: number): void {
    this.#waitingRows -= rows
    this.#writtenRows += rows
  }

  #fail(error: ErrorReport): void {
    if (this.#error) return
    this.#error = error
    clearTimeout(this.#timer)
    this.#droppedRows += this.#waitingRows + this.#rows.length
    this.#waitingRows = 0
    this.#rows = []
    this.#log.error('prediction-log-stopped', { code: error.code, message: error.message, hint: error.hint })
  }
}

/** The log's state for Prometheus. */
export function predictionLogMetrics(state: PredictionLogState, labels: Readonly<Record<string, string>>): MetricFamily[] {
  const one = (type: 'counter' | 'gauge', name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type,
    samples: [{ labels, value }],
  })
  return [
    one('counter', 'edgesmith_prediction_log_rows_total', 'Predictions written to the prediction log.', state.writtenRows),
    one('counter', 'edgesmith_prediction_log_dropped_total', 'Predictions that were to be logged and are not.', state.droppedRows),
    one(
      'gauge',
      'edgesmith_prediction_log_writing',
      '1 while predictions are logged, 0 after the log has stopped.',
      Number(state.isWriting),
    ),
  ]
}
