import type { AxisGuard, ChannelGroup } from './channel-groups.ts'
import type { RemovalOrder } from './removal-order.ts'
import type { WorkModel } from './work-model.ts'

/** A group with the order its classes go in and what that costs. */
export interface RankedGroup {
  readonly group: ChannelGroup
  readonly order: RemovalOrder
}

/**
 * Numbers of classes of a group that may be removed: those that leave a multiple, ascending, 0 first.
 * @param most how many could go
 */
export function removalLevels(size: number, most: number, multipleOf: number): number[] {
  const levels = [0]
  for (let kept = Math.floor((size - 1) / multipleOf) * multipleOf; kept > 0; kept -= multipleOf)
    if (size - kept <= most) levels.push(size - kept)
  return levels
}

/**
 * Chooses how many classes each group loses until the work is down to `target`: again and again the step with the smallest loss for the
 * work it saves, looking past steps that only pay together with later ones.
 *
 * @param work and `guard` are left as they are after the removal
 * @returns classes removed, and whether the target was reached
 */
export function allocateByWork(
  groups: readonly RankedGroup[],
  multipleOf: number,
  target: number,
  work: WorkModel,
  guard: AxisGuard,
): { readonly removed: Set<number>; readonly reached: boolean } {
  const states = groups.map(
    ({ group, order }): GroupState => ({ order, levels: removalLevels(group.size, order.classes.length, multipleOf), at: 0 }),
  )
  const removed = new Set<number>()
  while (work.total > target) {
    let best: { state: GroupState; level: number; price: number } | undefined
    const total = work.total
    for (const state of states)
      for (let level = state.levels.indexOf(state.at) + 1; level < state.levels.length; level++) {
        const names = state.order.classes.slice(state.at, state.levels[level])
        if (!guard.allows(names)) break
        work.remove(names)
        const saved = total - work.total
        work.restore(names)
        const price = (lossAt(state.order, state.levels[level]!) - lossAt(state.order, state.at)) / saved
        if (saved > 0 && (!best || price < best.price)) best = { state, level, price }
      }
    if (!best) return { removed, reached: false }
    const { state, level } = best
    const names = state.order.classes.slice(state.at, state.levels[level])
    for (const name of names) removed.add(name)
    work.remove(names)
    guard.take(names)
    state.at = state.levels[level]!
  }
  giveBack(states, removed, target, work, guard)
  return { removed, reached: true }
}

/** The last steps may have gone too far: classes that the target leaves room for stay, those with the largest loss first. */
function giveBack(states: readonly GroupState[], removed: Set<number>, target: number, work: WorkModel, guard: AxisGuard): void {
  for (;;) {
    let best: { readonly state: GroupState; readonly level: number; readonly gain: number } | undefined
    for (const state of states) {
      const level = state.levels[state.levels.indexOf(state.at) - 1]
      if (level === undefined) continue
      const names = state.order.classes.slice(level, state.at)
      work.restore(names)
      const gain = work.total <= target ? lossAt(state.order, state.at) - lossAt(state.order, level) : 0
      work.remove(names)
      if (gain > (best?.gain ?? 0)) best = { state, level, gain }
    }
    if (!best) return
    const names = best.state.order.classes.slice(best.level, best.state.at)
    for (const name of names) removed.delete(name)
    work.restore(names)
    guard.give(names)
    best.state.at = best.level
  }
}

/** How far the removal of a group has come. */
interface GroupState {
  readonly order: RemovalOrder
  readonly levels: readonly number[]
  at: number
}

/**
 * Removes the same share of every group, as far as multiples and the guard allow.
 * @param keep how many classes of a group are to stay
 */
export function allocateByRatio(
  groups: readonly RankedGroup[],
  multipleOf: number,
  keep: (group: ChannelGroup) => number,
  guard: AxisGuard,
): { readonly removed: Set<number>; readonly reached: boolean } {
  const removed = new Set<number>()
  let reached = true
  for (const { group, order } of groups) {
    // Rounded up to a multiple; rounding of the share itself must not cost a step.
    const kept = Math.ceil((keep(group) - 1e-6) / multipleOf) * multipleOf
    const levels = removalLevels(group.size, order.classes.length, multipleOf).filter((level) => level <= group.size - kept)
    const level = levels.reverse().find((count) => guard.allows(order.classes.slice(0, count))) ?? 0
    const names = order.classes.slice(0, level)
    for (const name of names) removed.add(name)
    guard.take(names)
    if (group.size - level > kept) reached = false
  }
  return { removed, reached }
}

function lossAt({ losses }: RemovalOrder, count: number): number {
  return count === 0 ? 0 : losses[count - 1]!
}
