import type { RolloutVerdict } from './rollout-verdict.ts'

/** What to do with a release that is being tried. */
export type RolloutStep =
  | { readonly kind: 'wait'; readonly text: string }
  /** A canary gets its next share, a watched release is kept. */
  | { readonly kind: 'go-on'; readonly text: string }
  | { readonly kind: 'take-back'; readonly text: string }

/**
 * Decides on a canary's step: it lasts its time and until enough was seen; it is taken back at once where a limit is clearly broken, and at
 * its end where one is broken at all.
 */
export function canaryStep(verdict: RolloutVerdict, elapsedSeconds: number, stepSeconds: number): RolloutStep {
  const { broken, waitingFor, found } = verdict
  if (broken.length > 0) return { kind: 'take-back', text: broken.join('; ') }
  const left = stepSeconds - elapsedSeconds
  if (left > 0) return { kind: 'wait', text: waitingFor ?? 'the end of the step' }
  if (waitingFor !== null) return { kind: 'wait', text: waitingFor }
  return ended(verdict, found)
}

/**
 * Decides on a watched release. Its time ends also where few asked it: then nothing spoke against it, and that is said.
 */
export function watchStep(verdict: RolloutVerdict, elapsedSeconds: number, watchSeconds: number): RolloutStep {
  const { broken, waitingFor, found } = verdict
  if (broken.length > 0) return { kind: 'take-back', text: broken.join('; ') }
  if (elapsedSeconds < watchSeconds) return { kind: 'wait', text: 'the end of the watch' }
  return ended(verdict, waitingFor === null ? found : `${found}; too little to judge, missing: ${waitingFor}`)
}

function ended({ doubtful }: RolloutVerdict, found: string): RolloutStep {
  return doubtful.length > 0 ? { kind: 'take-back', text: doubtful.join('; ') } : { kind: 'go-on', text: found }
}

/**
 * Whether it is time to look again: after the first so many requests and whenever they have doubled. Looking all the time would find
 * something that is outside a 95 % interval by chance sooner or later.
 */
export function isTimeToLook(requests: number, lookedAt: number, minRequests: number): boolean {
  return requests >= minRequests && requests >= 2 * lookedAt
}
