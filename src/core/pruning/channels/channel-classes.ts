/**
 * The class of each index along an axis: channels of one class disappear together. {@link FIXED} marks an index that nothing may
 * remove, for example a part of a Concat that comes from a graph input.
 */
export type Labels = Int32Array

export const FIXED = -1

/**
 * Coupled channel sets as a union-find (Tarjan 1975, path halving): every output channel of a layer starts as a class of its own, operators
 * tie classes together. A frozen class may not be removed; the first reason given is kept.
 */
export class ChannelClasses {
  private readonly parents: number[] = []
  private readonly reasons = new Map<number, string>()

  /** `count` new classes. */
  add(count: number): Labels {
    const first = this.parents.length
    const labels = Int32Array.from({ length: count }, (_, index) => first + index)
    for (const label of labels) this.parents.push(label)
    return labels
  }

  /** The name of a label's class: the same for all that are tied. */
  find(label: number): number {
    let at = label
    for (let parent = this.parents[at]!; parent !== at; parent = this.parents[at]!) {
      const above = this.parents[parent]!
      this.parents[at] = above
      at = above
    }
    return at
  }

  /** Makes two labels disappear together. @param reason why the other one is frozen when one of them is {@link FIXED} */
  tie(a: number, b: number, reason: string): void {
    if (a === FIXED || b === FIXED) {
      this.freeze(a, reason)
      this.freeze(b, reason)
      return
    }
    const [first, second] = [this.find(a), this.find(b)]
    if (first === second) return
    const [kept, gone] = first < second ? [first, second] : [second, first]
    this.parents[gone] = kept
    const known = this.reasons.get(kept) ?? this.reasons.get(gone)
    if (known !== undefined) this.reasons.set(kept, known)
  }

  /** Ties two axes of the same length, index by index. */
  tieAll(a: Labels, b: Labels, reason: string): void {
    for (let index = 0; index < a.length; index++) this.tie(a[index]!, b[index]!, reason)
  }

  freeze(label: number, reason: string): void {
    if (label === FIXED) return
    const name = this.find(label)
    if (!this.reasons.has(name)) this.reasons.set(name, reason)
  }

  freezeAll(labels: Labels | undefined, reason: string): void {
    for (const label of labels ?? []) this.freeze(label, reason)
  }

  /** Why a label's class may not be removed, `undefined` when it may. */
  frozen(label: number): string | undefined {
    return label === FIXED ? 'it is not made by a layer that can be pruned' : this.reasons.get(this.find(label))
  }
}
