import { FIXED, type Labels } from './channel-classes.ts'
import type { ChannelCoupling, ChannelLayer } from './channel-coupling.ts'

/** Layers whose channels are coupled: their classes are chosen among each other, and their number is rounded together. */
export interface ChannelGroup {
  /** Names of the classes that may go, ascending. */
  readonly classes: readonly number[]
  /** Classes of the group in all, those that may not go included. */
  readonly size: number
}

/** A layer all of whose channels stay, and why. */
export interface FrozenLayer {
  readonly node: string
  readonly reason: string
}

/** Groups of a model, and the layers that belong to none. Depthwise layers follow those before them and are not listed. */
export function channelGroups(coupling: ChannelCoupling): { readonly groups: ChannelGroup[]; readonly frozen: FrozenLayer[] } {
  const { classes } = coupling
  const producers = coupling.layers.filter(({ kind }) => kind !== 'depthwise')
  // Union of classes through the layers they share.
  const leader = new Map<number, number>()
  const find = (name: number): number => {
    let at = name
    while (leader.get(at) !== at) at = leader.get(at)!
    leader.set(name, at)
    return at
  }
  const frozen: FrozenLayer[] = []
  for (const { node, output } of producers) {
    const names = [...new Set([...(output ?? [])].filter((label) => label !== FIXED).map((label) => classes.find(label)))]
    for (const name of names) if (!leader.has(name)) leader.set(name, name)
    for (const name of names.slice(1)) leader.set(find(name), find(names[0]!))
    const reasons = names.map((name) => classes.frozen(name))
    if (reasons.every((reason) => reason !== undefined)) frozen.push({ node, reason: reasons[0] ?? 'it has no channels of its own' })
  }
  const members = new Map<number, number[]>()
  for (const name of leader.keys()) {
    const first = find(name)
    members.set(first, [...(members.get(first) ?? []), name])
  }
  const groups = [...members.values()].map((names) => ({
    classes: names.filter((name) => classes.frozen(name) === undefined).sort((a, b) => a - b),
    size: names.length,
  }))
  return { groups: groups.filter((group) => group.classes.length > 0), frozen }
}

/**
 * Keeps every axis from running empty: counts what is left of each while classes are taken away. Output channels of a layer never fall below
 * what the caller says, anything else never below one.
 */
export class AxisGuard {
  /** Axes that a class lies on, and on how many of their indices. */
  private readonly places = new Map<number, { readonly axis: number; readonly count: number }[]>()
  private readonly left: number[] = []
  private readonly least: number[] = []

  /** @param leastOf output channels that a layer keeps at least */
  constructor(coupling: ChannelCoupling, leastOf: (layer: ChannelLayer) => number) {
    const seen = new Set<Labels>()
    const add = (labels: Labels | undefined, least: number): void => {
      if (!labels || seen.has(labels)) return
      seen.add(labels)
      const counts = new Map<number, number>()
      for (const label of labels)
        if (label !== FIXED) counts.set(coupling.classes.find(label), (counts.get(coupling.classes.find(label)) ?? 0) + 1)
      const axis = this.left.push(labels.length) - 1
      this.least.push(Math.max(1, least))
      for (const [name, count] of counts) this.places.set(name, [...(this.places.get(name) ?? []), { axis, count }])
    }
    for (const layer of coupling.layers) add(layer.output, leastOf(layer))
    for (const axes of coupling.constants.values()) for (const labels of axes) add(labels, 0)
    for (const [, axes] of coupling.labelledTensors()) for (const labels of axes) add(labels, 0)
  }

  /** Whether these classes may all go. */
  allows(names: readonly number[]): boolean {
    const taken = new Map<number, number>()
    for (const name of names) for (const { axis, count } of this.places.get(name) ?? []) taken.set(axis, (taken.get(axis) ?? 0) + count)
    return [...taken].every(([axis, count]) => this.left[axis]! - count >= this.least[axis]!)
  }

  take(names: readonly number[]): void {
    for (const name of names) for (const { axis, count } of this.places.get(name) ?? []) this.left[axis] = this.left[axis]! - count
  }

  /** Takes a removal back. */
  give(names: readonly number[]): void {
    for (const name of names) for (const { axis, count } of this.places.get(name) ?? []) this.left[axis] = this.left[axis]! + count
  }
}
