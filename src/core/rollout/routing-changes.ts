import { CoreError } from '../core-error.ts'
import { type BesideRelease, besideOf, type Moment, type Rollout, type Routing } from './routing.ts'

/** A change of who serves, and what it is in words. */
export interface RoutingChange {
  readonly routing: Routing
  readonly text: string
}

/** Releases beside the current one. */
const MOST_BESIDE = 4

/**
 * A release takes its place. The release that serves already stays what it is.
 * @throws CoreError `USAGE` where it does not go together with what is being tried
 */
export function rollOut(routing: Routing, release: string, rollout: Rollout, moment: Moment): RoutingChange {
  const others = routing.beside.filter((one) => one.release !== release)
  if (release === routing.current) {
    if (rollout.kind === 'switch') return { routing, text: 'It serves already.' }
    throw conflict(`Release ${release} is the current one already.`, 'A release cannot be tried beside itself.')
  }
  const canary = others.find(({ kind }) => kind === 'canary')
  if (canary && rollout.kind !== 'shadow') {
    throw conflict(`Release ${canary.release} is a canary that is still going up.`, 'Promote it, withdraw it or roll back first.')
  }
  if (rollout.kind === 'switch') return switched({ ...routing, beside: others }, release, rollout, moment)
  if (others.length >= MOST_BESIDE) throw conflict(`${MOST_BESIDE} releases are beside the current one.`, 'Withdraw one first.')
  const entry = besideEntry(release, rollout, moment)
  requireRoom(others, entry.weight)
  const text = entry.kind === 'shadow' ? 'It gets copies of requests.' : `It gets ${entry.weight} % of the requests.`
  return { routing: { ...routing, beside: [...others, entry] }, text }
}

/** Another share for a release that is split. @throws CoreError `USAGE` */
export function setWeight(routing: Routing, release: string, weight: number, { at }: Moment): RoutingChange {
  const entry = requireBeside(routing, release)
  if (entry.kind !== 'split') {
    throw conflict(`The share of a ${entry.kind} is not set by hand.`, 'Withdraw it and bring it again as a split.')
  }
  const others = routing.beside.filter((one) => one !== entry)
  requireRoom(others, weight)
  return { routing: replaced(routing, { ...entry, weight, since: at }), text: `It gets ${weight} % of the requests.` }
}

/** A release beside the current one becomes current. @throws CoreError `USAGE` */
export function promote(routing: Routing, release: string, moment: Moment): RoutingChange {
  const { watchSeconds = 60, limits } = requireBeside(routing, release)
  return switched(without(routing, release), release, { watchSeconds, limits }, moment)
}

/** @throws CoreError `USAGE` */
export function withdraw(routing: Routing, release: string): RoutingChange {
  requireBeside(routing, release)
  return { routing: without(routing, release), text: 'It gets no requests any more.' }
}

/**
 * Takes back what is being tried: whatever is beside the current release, and the current one where it is still watched. Where nothing is
 * being tried, current and previous change places.
 * @throws CoreError `USAGE` without a previous release
 */
export function rollBack(routing: Routing): RoutingChange {
  const { current, previous, beside, watch } = routing
  if (beside.length > 0 && (watch === null || previous === null)) {
    return { routing: { ...routing, beside: [] }, text: 'What was beside the current release was taken back.' }
  }
  if (previous === null) throw conflict('There is no previous release.', 'Deploy the release that shall serve.')
  return {
    routing: { ...routing, current: previous, previous: current, beside: [], watch: null },
    text: `Release ${previous} serves again instead of ${current}.`,
  }
}

/**
 * Takes a release back that failed: it is nowhere in the routing afterwards. Where it is the current one, the previous one serves again.
 * @throws CoreError `USAGE` where it is current and nothing was before it
 */
export function takeBack(routing: Routing, release: string): Routing {
  if (routing.current !== release) return without(routing, release)
  const { previous } = routing
  if (previous === null) throw conflict('There is no previous release.', 'Deploy a release that works.')
  return { ...without(routing, previous), current: previous, previous: null, watch: null }
}

/** A canary goes one step up; behind its last step it becomes current. */
export function advance(routing: Routing, release: string, moment: Moment): RoutingChange {
  const entry = requireBeside(routing, release)
  const { steps = [], step = 0 } = entry
  const next = steps[step + 1]
  if (next === undefined) return promote(routing, release, moment)
  // A split beside it may leave less room than the step asks for.
  const room = 100 - routing.beside.reduce((sum, one) => sum + (one === entry ? 0 : one.weight), 0)
  const weight = Math.min(next, room)
  return {
    routing: replaced(routing, { ...entry, weight, step: step + 1, since: moment.at, bootId: moment.bootId }),
    text: `It gets ${weight} % of the requests.`,
  }
}

/** Another process tries on what is being tried: a watch begins anew, a step of a canary too, for what was seen so far is not known any more. */
export function renewTrials(routing: Routing, { at, bootId }: Moment): Routing {
  const { watch, beside } = routing
  return {
    ...routing,
    watch: watch && { ...watch, since: at, bootId },
    beside: beside.map((entry) => (entry.kind === 'split' ? entry : { ...entry, since: at, bootId })),
  }
}

/** A watched release has proved itself. */
export function keep(routing: Routing): Routing {
  return { ...routing, watch: null }
}

function switched(
  routing: Routing,
  release: string,
  { watchSeconds, limits }: Pick<Rollout, 'watchSeconds' | 'limits'>,
  { at, bootId }: Moment,
): RoutingChange {
  const watch = watchSeconds > 0 ? { since: at, seconds: watchSeconds, limits, bootId } : null
  return {
    routing: { ...routing, current: release, previous: routing.current, watch },
    text: `It serves instead of ${routing.current}.`,
  }
}

function besideEntry(release: string, rollout: Rollout, { at, bootId }: Moment): BesideRelease {
  const { limits, watchSeconds } = rollout
  const common = { release, since: at, bootId, limits, watchSeconds }
  if (rollout.kind === 'canary') {
    const steps = rollout.steps.toSorted((a, b) => a - b)
    return { ...common, kind: 'canary', weight: steps[0] ?? 0, steps, step: 0, stepSeconds: rollout.stepSeconds }
  }
  return rollout.kind === 'shadow' ? { ...common, kind: 'shadow', weight: 0 } : { ...common, kind: 'split', weight: rollout.weight }
}

function requireRoom(others: readonly BesideRelease[], weight: number): void {
  const taken = others.reduce((sum, one) => sum + one.weight, 0)
  if (taken + weight <= 100) return
  throw conflict(`Others beside the current release get ${taken} % already: ${weight} % more is over 100 %.`, 'Choose a smaller share.')
}

function requireBeside(routing: Routing, release: string): BesideRelease {
  const found = besideOf(routing, release)
  if (found) return found
  const names = routing.beside.map((one) => one.release)
  throw conflict(
    `Release ${release} is not beside the current one.`,
    names.length > 0 ? `These are: ${names.join(', ')}.` : 'No release is beside the current one.',
  )
}

function replaced(routing: Routing, entry: BesideRelease): Routing {
  return { ...routing, beside: routing.beside.map((one) => (one.release === entry.release ? entry : one)) }
}

function without(routing: Routing, release: string): Routing {
  return { ...routing, beside: routing.beside.filter((one) => one.release !== release) }
}

function conflict(message: string, hint: string): CoreError {
  return new CoreError('USAGE', message, { hint })
}
