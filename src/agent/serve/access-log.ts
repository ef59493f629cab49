import type { ServiceLog } from './service-log.ts'

/** What a line of the access log says of a request; never its body, token or key. */
export interface AccessLogEntry {
  readonly requestId: string
  /** Who asked; null where nobody was let in. */
  readonly client: string | null
  readonly method: string
  readonly path: string
  readonly status: number
  readonly durationMs: number
  /** Of the answer's body. */
  readonly bytes: number
}

/** Longest path that is written. */
const PATH_CHARACTERS = 200

/**
 * Writes a share of the requests, evenly spread: every fourth for 0.25.
 * @param share 0 to 1
 */
export function accessLog(log: ServiceLog, share: number): (entry: AccessLogEntry) => void {
  if (share === 0) return () => {}
  let due = 0
  return ({ path, ...entry }) => {
    due += share
    // Shares such as 0.1 do not add up exactly.
    if (due < 1 - 1e-9) return
    due -= 1
    log.info('request', { ...entry, path: path.slice(0, PATH_CHARACTERS) })
  }
}
