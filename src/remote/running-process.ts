import type { Readable, Writable } from 'node:stream'

/** How a process on a device or on this computer ended. */
export interface ProcessEnd {
  /** Null when a signal ended it, or when nobody knows. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** The connection broke before the end was reported. */
  readonly connectionLost: boolean
}

/** A process that was started through SSH or beside us, seen the same way. */
export interface RunningProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Settles when the process has ended and its standard output was read to the end; never rejects. */
  readonly ended: Promise<ProcessEnd>
  /** Ends it as far as that is possible, and stops listening. `ended` settles soon after. */
  abandon(): void
}
