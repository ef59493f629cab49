import { closeSync, copyFileSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A log beyond this is set aside as `log.1`; one older log is kept. */
const largestLogBytes = 5_000_000

/** The file `log` of a service, which its serving process writes to. Nothing here fails: a full disk is no reason to stop serving. */
export class SupervisedLog {
  readonly #path: string

  constructor(folder: string) {
    this.#path = join(folder, 'log')
  }

  /** A descriptor to hand to a child; null where the file cannot be opened. The caller closes it. */
  open(): number | null {
    try {
      return openSync(this.#path, 'a', 0o600)
    } catch {
      return null
    }
  }

  /** Adds a line of JSON as the serving process writes them. */
  say(level: 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void {
    const fd = this.open()
    if (fd === null) return
    try {
      writeSync(fd, `${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`)
    } catch {
      // A full disk.
    } finally {
      closeSync(fd)
    }
  }

  /** Copies and empties, because a running process holds on to the file; it appends, so it goes on at the start. */
  rotate(): void {
    try {
      if (statSync(this.#path).size <= largestLogBytes) return
      copyFileSync(this.#path, `${this.#path}.1`)
    } catch {
      // Not there yet, or the disk is full: an older log is worth less than room for the next one.
    }
    try {
      if (statSync(this.#path).size > largestLogBytes) truncateSync(this.#path)
    } catch {
      // Not there yet.
    }
  }
}
