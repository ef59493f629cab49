import type { BesideRelease, Routing } from '../../../contract/routing.ts'
import { canaryStep, type RolloutStep, watchStep } from '../../../core/rollout/rollout-step.ts'
import type { ReleaseWindow } from '../../../core/rollout/rollout-verdict.ts'
import { besideOf } from '../../../core/rollout/routing.ts'
import type { PredictionCopies } from '../versions/prediction-copies.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { Trial } from './trials.ts'

/** A release beside the current one, loaded. */
export interface LoadedBeside {
  readonly entry: BesideRelease
  readonly version: ServedVersion
}

/** What has to be done with a release that is being tried. */
export interface DueStep {
  readonly release: string
  readonly of: 'watch' | 'canary'
  readonly step: RolloutStep
}

/** The releases that are being tried right now: the current one while it is watched, and canaries. */
export class RunningTrials {
  readonly #now: () => number
  readonly #copies: PredictionCopies
  #watch: { readonly trial: Trial; readonly version: ServedVersion } | null = null
  readonly #canaries = new Map<string, { readonly trial: Trial; readonly version: ServedVersion }>()

  /** @param now milliseconds on a clock that only goes forward */
  constructor(copies: PredictionCopies, now: () => number) {
    this.#copies = copies
    this.#now = now
  }

  /** Of the current release; null where it is not watched. */
  get watch(): Trial | null {
    return this.#watch?.trial ?? null
  }

  get canary(): { readonly release: string; readonly trial: Trial } | null {
    for (const [release, { trial }] of this.#canaries) return { release, trial }
    return null
  }

  /** Begins the watch of an earlier process anew. @param before what the release before did there; null where that is not known */
  resumeWatch(current: ServedVersion, before: ReleaseWindow | null): void {
    this.#watch = { version: current, trial: Trial.after(current, before, this.#now) }
  }

  /** From now on another routing holds: what is new in it begins to be tried. @param previous null where it is not loaded */
  change(before: Routing, routing: Routing, current: ServedVersion, previous: ServedVersion | null, beside: readonly LoadedBeside[]): void {
    const isOther = before.current !== routing.current
    if (routing.watch?.since !== before.watch?.since || isOther) {
      const stable = previous?.statistics.sinceLoaded() ?? null
      this.#watch = routing.watch && { version: current, trial: Trial.after(current, stable, this.#now) }
    }
    for (const release of [...this.#canaries.keys()]) if (besideOf(routing, release)?.kind !== 'canary') this.#canaries.delete(release)
    for (const { entry, version } of beside) {
      const known = besideOf(before, entry.release)
      const isNew = isOther || known?.kind !== entry.kind
      if (isNew) this.#copies.forget(version)
      if (entry.kind !== 'canary') continue
      const goesOn = !isNew && known?.since === entry.since && this.#canaries.has(entry.release)
      if (!goesOn) this.#canaries.set(entry.release, { version, trial: Trial.beside(version, current, this.#now) })
    }
    if (isOther) this.#copies.forget(current)
  }

  /** The first thing that has to be done, if any. */
  due({ watch, current, beside }: Routing): DueStep | null {
    if (watch && this.#watch) {
      const { trial, version } = this.#watch
      const { elapsedSeconds } = trial
      const verdict = trial.look(watch.limits, this.#copies.countsOf(version), elapsedSeconds >= watch.seconds)
      const step = verdict && watchStep(verdict, elapsedSeconds, watch.seconds)
      if (step && step.kind !== 'wait') return { release: current, of: 'watch', step }
    }
    for (const { release, limits, stepSeconds = 0 } of beside) {
      const running = this.#canaries.get(release)
      if (!running) continue
      const { elapsedSeconds } = running.trial
      const verdict = running.trial.look(limits, this.#copies.countsOf(running.version), elapsedSeconds >= stepSeconds)
      const step = verdict && canaryStep(verdict, elapsedSeconds, stepSeconds)
      if (step && step.kind !== 'wait') return { release, of: 'canary', step }
    }
    return null
  }
}
