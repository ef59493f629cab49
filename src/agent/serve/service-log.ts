/** Writes one event as one line of JSON. */
export interface ServiceLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void
  error(event: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Error lines in a minute; a client that fails in a loop must not fill the card of a board. */
const ERRORS_PER_MINUTE = 60
const MINUTE_MS = 60_000

/**
 * A log of JSON lines: `{"time", "level", "event", …}`. Requests' bodies and tokens never get here.
 *
 * @param write takes a line with its line break
 */
export function jsonLog(write: (line: string) => void): ServiceLog {
  let windowStart = Number.NEGATIVE_INFINITY
  let written = 0
  let suppressed = 0
  const line = (level: string, event: string, fields: Readonly<Record<string, unknown>>) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`)
  return {
    info: (event, fields = {}) => line('info', event, fields),
    error: (event, fields = {}) => {
      const now = performance.now()
      if (now - windowStart >= MINUTE_MS) {
        if (suppressed > 0) line('error', 'suppressed', { lines: suppressed })
        windowStart = now
        written = 0
        suppressed = 0
      }
      if (written++ < ERRORS_PER_MINUTE) line('error', event, fields)
      else suppressed++
    },
  }
}
