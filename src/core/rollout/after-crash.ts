import type { Routing } from './routing.ts'
import { takeBack } from './routing-changes.ts'

/**
 * What serves after the serving process crashed: what was being tried in this boot of the machine is taken back, for it may have done it: the
 * current release while it was watched, canaries, shadows. A split stays: it is there for as long as nobody changes it.
 *
 * @param bootId of the machine now: what was put in place before it was started again has not crashed, power has gone
 * @returns `takenBack` is empty where nothing was being tried
 */
export function afterCrash(routing: Routing, bootId: string): { readonly routing: Routing; readonly takenBack: readonly string[] } {
  const { watch, current, previous, beside } = routing
  const isWatched = watch !== null && watch.bootId === bootId && previous !== null
  const tried = beside.filter(({ kind, bootId: since }) => kind !== 'split' && since === bootId).map(({ release }) => release)
  // What served before serves again, also where it was about to come back by itself.
  const takenBack = isWatched ? [current, ...tried.filter((release) => release !== previous)] : tried
  return { routing: takenBack.reduce<Routing>(takeBack, routing), takenBack }
}
