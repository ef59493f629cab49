/** Deadlines that are closer together than this are looked at together: late by this much at most. */
const LEAST_PAUSE_MS = 10

/** A prediction that is being worked on. */
export interface TimedWork {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Called once, when the deadline has passed. */
  expire(): void
  /** Where {@link WorkInFlight} has it; −1 while it does not. */
  place: number
}

/**
 * The predictions being worked on: how many, and which of them take too long. One timer for all of them, set to the first deadline: nearly all are done
 * before theirs, and a processor that runs a model is not to be woken again and again to look at deadlines that are a minute away.
 */
export class WorkInFlight {
  private readonly limit: number
  /**
   * No Set: as work comes and goes it makes one table after the other, and each dead table points to the next one. The first one that V8 takes for
   * long-lived keeps all later ones and the requests in them alive, which are then copied instead of forgotten: collections took five times as long.
   */
  private readonly work: TimedWork[] = []
  private timer: NodeJS.Timeout | undefined
  /** When the timer goes off. */
  private nextLookMs = Number.POSITIVE_INFINITY

  /** @param limit work that is taken together */
  constructor(limit: number) {
    this.limit = limit
  }

  get size(): number {
    return this.work.length
  }

  /** Takes work in; false when there is too much of it. */
  add(work: TimedWork): boolean {
    if (this.work.length >= this.limit) return false
    work.place = this.work.push(work) - 1
    if (work.deadlineMs < this.nextLookMs) this.lookAt(work.deadlineMs)
    return true
  }

  /** Done, refused or expired. */
  remove(work: TimedWork): void {
    const { place } = work
    if (place < 0) return
    work.place = -1
    const last = this.work.pop() as TimedWork
    if (last === work) return
    this.work[place] = last
    last.place = place
  }

  /** Sees to it that deadlines are looked at then, or earlier. */
  private lookAt(deadlineMs: number): void {
    const now = performance.now()
    const lookMs = Math.max(deadlineMs, now + LEAST_PAUSE_MS)
    if (lookMs >= this.nextLookMs) return
    clearTimeout(this.timer)
    this.nextLookMs = lookMs
    this.timer = setTimeout(() => this.look(), Math.ceil(lookMs - now)).unref()
  }

  private look(): void {
    const now = performance.now()
    this.nextLookMs = Number.POSITIVE_INFINITY
    let firstDeadlineMs = Number.POSITIVE_INFINITY
    // From the end: what takes the place of a removed one was looked at before.
    for (let place = this.work.length - 1; place >= 0; place--) {
      const work = this.work[place]
      if (work === undefined) continue
      if (work.deadlineMs > now) {
        firstDeadlineMs = Math.min(firstDeadlineMs, work.deadlineMs)
        continue
      }
      this.remove(work)
      work.expire()
    }
    if (firstDeadlineMs < Number.POSITIVE_INFINITY) this.lookAt(firstDeadlineMs)
  }
}
