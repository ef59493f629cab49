/** What a client can make the HTTP server hold, and for how long. */
export interface HttpLimits {
  /** Of a request's header, first line included. */
  readonly headerBytes: number
  readonly headerCount: number
  readonly connections: number
  /** From the first byte of a request to the end of its header, and to the end of its body. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  /** How often those two are looked at. */
  readonly timeoutCheckMs: number
  /** An idle connection is closed after this. */
  readonly keepAliveMs: number
  /** A connection whose client does not read its answer is closed after this. */
  readonly stalledMs: number
  /** After a refusal the rest of a body is read and thrown away for this long, so that the client gets to see the answer. */
  readonly lingerMs: number
  /** In-flight requests may take this long to finish when the service is told to stop: less than the 10 s its host waits. */
  readonly drainMs: number
}
