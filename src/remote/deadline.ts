/** A time limit whose clock can be stopped. */
export class Deadline {
  #leftMs: number
  #startedAtMs = performance.now()
  #pauses = 0
  #timer: NodeJS.Timeout | undefined
  #over: () => void = () => undefined

  /** Runs from now on. */
  constructor(ms: number) {
    this.#leftMs = ms
    this.#start()
  }

  /** Called once, when the time is over. */
  onOver(over: () => void): void {
    this.#over = over
  }

  /** Stops the clock; as often as it was stopped it has to be resumed. */
  pause(): void {
    if (this.#pauses++ > 0) return
    clearTimeout(this.#timer)
    this.#leftMs -= performance.now() - this.#startedAtMs
  }

  resume(): void {
    if (--this.#pauses === 0) this.#start()
  }

  /** It is never over after this. */
  end(): void {
    clearTimeout(this.#timer)
    this.#pauses = Number.POSITIVE_INFINITY
  }

  #start(): void {
    this.#startedAtMs = performance.now()
    this.#timer = setTimeout(() => this.#over(), Math.max(0, this.#leftMs))
  }
}
