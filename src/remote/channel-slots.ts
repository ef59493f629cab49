/**
 * Hands out a limited number of places and lets the others wait in order. An SSH server allows only so many sessions on one connection
 * (`MaxSessions`, 10 by default in OpenSSH), and refuses what is beyond.
 */
export class ChannelSlots {
  #limit: number
  #taken = 0
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Waits for a place; the answer gives it back (once, further calls do nothing). */
  async take(): Promise<() => void> {
    if (this.#taken < this.#limit) this.#taken++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let given = false
    return () => {
      if (given) return
      given = true
      this.#giveBack()
    }
  }

  /** Places in use. */
  get taken(): number {
    return this.#taken
  }

  /** From now on at most this many at once: the server turned out to allow fewer. Never below 1. */
  lower(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, limit))
  }

  #giveBack(): void {
    // A place above a lowered limit is not passed on.
    const next = this.#taken <= this.#limit ? this.#waiting.shift() : undefined
    if (next) next()
    else this.#taken--
  }
}
