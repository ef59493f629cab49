/** What a model costs and gives: median latency in milliseconds (less is better), accuracy or another value where more is better. */
export interface TradeOff {
  readonly latencyMs: number
  readonly value: number
}

/** True when `a` is at least as good as `b` in both and better in one. Ties dominate nothing. */
export function dominates(a: TradeOff, b: TradeOff): boolean {
  const noWorse = a.latencyMs <= b.latencyMs && a.value >= b.value
  return noWorse && (a.latencyMs < b.latencyMs || a.value > b.value)
}

/**
 * For each point the index of a point that dominates it (the fastest of those, then the first), or null when it is on the Pareto front.
 * By point estimates only: intervals are for the reader to judge.
 */
export function dominators(points: readonly TradeOff[]): (number | null)[] {
  return points.map((point) => {
    let best: number | null = null
    points.forEach((other, index) => {
      if (!dominates(other, point)) return
      const known = best === null ? undefined : points[best]
      if (known === undefined || other.latencyMs < known.latencyMs) best = index
    })
    return best
  })
}
