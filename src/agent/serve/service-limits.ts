/** What a client can make the service do at most. */
export interface ServiceLimits {
  /** One request's body. */
  readonly bodyBytes: number
  /** All bodies in flight together; JSON takes about five times its size while it is worked on. */
  readonly allBodiesBytes: number
  /** Samples of one batch request. */
  readonly batchSamples: number
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
  /** A connection on which nothing moves, not even an answer being read, is closed after this. */
  readonly stalledMs: number
  /** After a refusal the rest of a body is read and thrown away for this long, so that the client gets to see the answer. */
  readonly lingerMs: number
  /** In-flight requests may take this long to finish when the service is told to stop: less than the 10 s its host waits. */
  readonly drainMs: number
}

export const serviceLimits: ServiceLimits = {
  bodyBytes: 16 * 2 ** 20,
  allBodiesBytes: 48 * 2 ** 20,
  batchSamples: 1024,
  headerBytes: 16 * 2 ** 10,
  headerCount: 100,
  connections: 512,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  timeoutCheckMs: 1000,
  keepAliveMs: 30_000,
  stalledMs: 300_000,
  lingerMs: 2000,
  drainMs: 8000,
}
