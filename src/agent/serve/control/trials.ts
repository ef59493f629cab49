import type { RolloutLimits } from '../../../contract/routing.ts'
import { isTimeToLook } from '../../../core/rollout/rollout-step.ts'
import { judgeRollout, type ReleaseWindow, type RolloutVerdict } from '../../../core/rollout/rollout-verdict.ts'
import type { CopyCounts } from '../versions/prediction-copies.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import type { StatisticsMark } from '../versions/version-statistics.ts'

/** A release that is being tried since some moment, and what it is compared with. */
export class Trial {
  readonly #tried: ServedVersion
  readonly #stable: () => ReleaseWindow | null
  readonly #mark: StatisticsMark
  readonly #startedAtMs: number
  readonly #now: () => number
  #lookedAt = 0

  private constructor(tried: ServedVersion, stable: () => ReleaseWindow | null, now: () => number) {
    this.#tried = tried
    this.#stable = stable
    this.#mark = tried.statistics.mark()
    this.#now = now
    this.#startedAtMs = now()
  }

  /** Compared with another one over the same time. */
  static beside(tried: ServedVersion, stable: ServedVersion, now: () => number): Trial {
    const mark = stable.statistics.mark()
    return new Trial(tried, () => stable.statistics.since(mark), now)
  }

  /** Compared with what the release before it did. @param before null where nothing is known of that */
  static after(tried: ServedVersion, before: ReleaseWindow | null, now: () => number): Trial {
    return new Trial(tried, () => before, now)
  }

  get elapsedSeconds(): number {
    return (this.#now() - this.#startedAtMs) / 1000
  }

  /** What is known now; null where there is no reason to look yet. @param isDue it must be decided */
  look(limits: RolloutLimits, copies: CopyCounts | null, isDue: boolean): RolloutVerdict | null {
    const window = this.#tried.statistics.since(this.#mark)
    const { minRequests } = limits
    if (!isDue && !isTimeToLook(window.requests, this.#lookedAt, minRequests)) return null
    if (window.requests >= minRequests) this.#lookedAt = window.requests
    return judgeRollout(window, this.#stable(), copies ?? { compared: 0, differing: 0 }, limits)
  }

  /** Without counting as a look. */
  peek(limits: RolloutLimits, copies: CopyCounts | null): RolloutVerdict {
    const window = this.#tried.statistics.since(this.#mark)
    return judgeRollout(window, this.#stable(), copies ?? { compared: 0, differing: 0 }, limits)
  }
}
