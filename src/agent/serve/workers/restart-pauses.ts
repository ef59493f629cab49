/** Deaths that are answered by a new thread at once; what kills more of them would go on doing so. */
const MOST_AT_ONCE = 5
/** Deaths are forgotten once a thread has lived so long since the last one was started. */
const CALM_MS = 60_000
const LONGEST_PAUSE_MS = 300_000

/** Decides when a thread that died is started again: at once at first, then after pauses that double. Never gives up. */
export class RestartPauses {
  readonly #firstPauseMs: number
  #deaths = 0
  #lastStartMs = Number.NEGATIVE_INFINITY

  constructor(firstPauseMs: number) {
    this.#firstPauseMs = firstPauseMs
  }

  /** They die again and again: new ones are started to see whether that has changed. */
  get isPausing(): boolean {
    return this.#deaths > MOST_AT_ONCE
  }

  /** A thread died. @returns after how many milliseconds the next one is started; 0: at once */
  died(nowMs: number): number {
    if (nowMs - this.#lastStartMs > CALM_MS) this.#deaths = 0
    this.#deaths++
    const pauses = this.#deaths - MOST_AT_ONCE
    const pauseMs = pauses > 0 ? Math.min(LONGEST_PAUSE_MS, this.#firstPauseMs * 2 ** (pauses - 1)) : 0
    this.#lastStartMs = nowMs + pauseMs
    return pauseMs
  }
}
