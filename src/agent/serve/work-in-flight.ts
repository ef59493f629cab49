/** How often deadlines are looked at: late by this much at most, instead of a timer for each request. */
const SWEEP_MS = 10

/** A prediction that is being worked on. */
export interface TimedWork {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Called once, when the deadline has passed. */
  expire(): void
}

/** The predictions being worked on: how many, and which of them take too long. */
export class WorkInFlight {
  private readonly limit: number
  private readonly work = new Set<TimedWork>()
  private sweeping: NodeJS.Timeout | undefined

  /** @param limit work that is taken together */
  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.work.size
  }

  /** Takes work in; false when there is too much of it. */
  add(work: TimedWork): boolean {
    if (this.work.size >= this.limit) return false
    this.work.add(work)
    this.sweeping ??= setInterval(() => this.sweep(), SWEEP_MS).unref()
    return true
  }

  /** Done, refused or expired. */
  remove(work: TimedWork): void {
    this.work.delete(work)
  }

  private sweep(): void {
    const now = performance.now()
    for (const work of this.work) {
      if (work.deadlineMs > now) continue
      this.work.delete(work)
      work.expire()
    }
    if (this.work.size > 0) return
    clearInterval(this.sweeping)
    this.sweeping = undefined
  }
}
