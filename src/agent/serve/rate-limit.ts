/** How much a client may ask, whatever a request holds: `burst` requests at once, `requestsPerSecond` in the long run. */
export interface RateLimit {
  readonly requestsPerSecond: number
  readonly burst: number
}

/** A token bucket that is full at first. */
export class TokenBucket {
  readonly limit: RateLimit
  private tokens: number
  private filledAtMs: number

  constructor(limit: RateLimit, nowMs: number) {
    this.limit = limit
    this.tokens = limit.burst
    this.filledAtMs = nowMs
  }

  /** Takes a token. Answers 0, or in how many seconds there will be one. */
  take(nowMs: number): number {
    const { requestsPerSecond, burst } = this.limit
    this.tokens = Math.min(burst, this.tokens + ((nowMs - this.filledAtMs) / 1000) * requestsPerSecond)
    this.filledAtMs = nowMs
    if (this.tokens >= 1) {
      this.tokens--
      return 0
    }
    return (1 - this.tokens) / requestsPerSecond
  }
}
