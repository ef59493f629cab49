import type { Progress } from '../../contract/job.ts'

/** At most ten a second reach the database and the window; more is only work for both. */
const INTERVAL_MS = 100

/** Passes progress on at most every 100 ms; a new phase and the last value before {@link ProgressLimiter.flush} always come through. */
export class ProgressLimiter {
  private readonly deliver: (progress: Progress) => void
  private pending: Progress | undefined
  private phase: string | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(deliver: (progress: Progress) => void) {
    this.deliver = deliver
  }

  push(progress: Progress): void {
    this.pending = progress
    if (progress.phase !== this.phase) {
      this.phase = progress.phase
      this.flush()
    }
    this.timer ??= setTimeout(() => this.flush(), INTERVAL_MS)
  }

  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const progress = this.pending
    this.pending = undefined
    if (progress) this.deliver(progress)
  }
}
