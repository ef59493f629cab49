import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorReport, toErrorReport } from '../../contract/errors.ts'
import { type LoggedRow, PredictionLogFile, type Retention, sqliteCode } from './prediction-log-file.ts'

/** What the thread is started with. */
export interface PredictionLogOrder {
  readonly path: string
  readonly retention: Retention
}

/** A row whose numbers lie one after the other's in the batch. */
export type BatchedRow = Omit<LoggedRow, 'numbers'> & { readonly values: number }

export type PredictionLogCommand =
  | { readonly kind: 'append'; readonly rows: readonly BatchedRow[]; readonly numbers: Float32Array }
  | { readonly kind: 'close' }

/** After `failed` nothing is written any more. */
export type PredictionLogReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'written'; readonly rows: number }
  | { readonly kind: 'failed'; readonly error: ErrorReport }
  | { readonly kind: 'closed' }

const TIDY_EVERY_MS = 60_000
const SQLITE_FULL = 13

/**
 * Writes predictions in a worker thread: on a memory card a write can take a second, for which nobody who waits for an answer may wait. Ends
 * when it is told to close.
 */
export function runPredictionLog(): void {
  const port = parentPort
  if (!port) throw new Error('the prediction log runs in a worker thread')
  const say = (report: PredictionLogReport) => port.postMessage(report)
  let file: PredictionLogFile | undefined
  let timer: NodeJS.Timeout | undefined

  const stop = () => {
    clearTimeout(timer)
    const open = file
    file = undefined
    open?.close()
  }
  /** Stops at the first thing that goes wrong: a disk that is full or broken does not get better by being written to. */
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      say({ kind: 'failed', error: reportOf(error, (workerData as PredictionLogOrder).path) })
      try {
        stop()
      } catch {
        // Closing writes too; the failure that counts has been told.
      }
    }
  }
  const tidy = () =>
    attempt(() => {
      const more = file?.tidy(Date.now())
      timer = setTimeout(tidy, more ? 0 : TIDY_EVERY_MS)
    })

  attempt(() => {
    const { path, retention } = workerData as PredictionLogOrder
    file = new PredictionLogFile(path, retention)
    say({ kind: 'ready' })
    tidy()
  })
  port.on('message', (command: PredictionLogCommand) => {
    if (command.kind === 'close') {
      attempt(stop)
      say({ kind: 'closed' })
      port.close()
      return
    }
    attempt(() => {
      if (!file) return
      file.append(unpack(command.rows, command.numbers))
      say({ kind: 'written', rows: command.rows.length })
      // Many rows can come between two looks at the clock.
      file.tidy(Date.now())
    })
  })
}

/** Every machine that Edgesmith runs on keeps float32 in little-endian order, as the file does. */
function unpack(rows: readonly BatchedRow[], numbers: Float32Array): LoggedRow[] {
  let first = 0
  return rows.map(({ values, ...row }) => {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset + 4 * first, 4 * values)
    first += values
    return { ...row, numbers: bytes }
  })
}

function reportOf(error: unknown, path: string): ErrorReport {
  if (sqliteCode(error) === SQLITE_FULL) {
    return {
      code: 'NO_SPACE',
      message: `The prediction log ${path} cannot grow: the disk is full.`,
      hint: 'Free some space and start the service again.',
    }
  }
  if (sqliteCode(error) === undefined) return toErrorReport(error)
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'FILE_NOT_WRITABLE', message: `The prediction log ${path} cannot be written: ${message}.` }
}
