import type { HttpLimits } from '../http/http-limits.ts'

/** What a client can make the service do at most. */
export interface ServiceLimits extends HttpLimits {
  /** One request's body. */
  readonly bodyBytes: number
  /** All bodies in flight together; JSON takes about five times its size while it is worked on. */
  readonly allBodiesBytes: number
  /** Samples of one batch request. */
  readonly batchSamples: number
  /** One answer's body, as far as it can be told before it is written. */
  readonly answerBytes: number
  /** All answers that are being sent, together; large ones that would be more are refused. */
  readonly allAnswersBytes: number
}

export const serviceLimits: ServiceLimits = {
  bodyBytes: 16 * 2 ** 20,
  allBodiesBytes: 48 * 2 ** 20,
  batchSamples: 1024,
  answerBytes: 64 * 2 ** 20,
  allAnswersBytes: 128 * 2 ** 20,
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
