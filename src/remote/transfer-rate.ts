/** The rate is shown anew after this time at the earliest: quicker than that nobody reads. */
const windowMs = 500
/** Share of the newest window in what is shown. */
const weight = 0.4

/** How fast something is being sent, smoothed over some seconds. */
export class TransferRate {
  #windowStartMs: number
  #windowBytes = 0
  #bytesPerSecond: number | null = null

  constructor(nowMs: number) {
    this.#windowStartMs = nowMs
  }

  add(bytes: number, nowMs: number): void {
    this.#windowBytes += bytes
    const elapsedMs = nowMs - this.#windowStartMs
    if (elapsedMs < windowMs) return
    const latest = (this.#windowBytes / elapsedMs) * 1000
    this.#bytesPerSecond = this.#bytesPerSecond === null ? latest : weight * latest + (1 - weight) * this.#bytesPerSecond
    this.#windowStartMs = nowMs
    this.#windowBytes = 0
  }

  /** `12.3 MB/s`; null during the first half second. */
  get text(): string | null {
    if (this.#bytesPerSecond === null) return null
    const megabytes = this.#bytesPerSecond / 1e6
    return megabytes >= 0.1 ? `${megabytes.toFixed(1)} MB/s` : `${(megabytes * 1000).toFixed(1)} kB/s`
  }
}
