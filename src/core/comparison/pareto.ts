/** Something that models are chosen by. */
export interface Objective<T> {
  readonly better: 'lower' | 'higher'
  /** Null where it was not measured: such a point is beaten by every measured one and beats none. */
  readonly of: (point: T) => number | null
}

/** What a model costs and gives: median latency in milliseconds (less is better), accuracy or another value where more is better. */
export interface TradeOff {
  readonly latencyMs: number
  readonly value: number
}

const latencyAndValue: readonly Objective<TradeOff>[] = [
  { better: 'lower', of: ({ latencyMs }) => latencyMs },
  { better: 'higher', of: ({ value }) => value },
]

/** True when `a` is at least as good as `b` in every objective and better in one. Ties dominate nothing. */
export function dominatesBy<T>(a: T, b: T, objectives: readonly Objective<T>[]): boolean {
  let better = false
  for (const { better: direction, of } of objectives) {
    const [own, other] = [cost(of(a), direction), cost(of(b), direction)]
    if (own > other) return false
    if (own < other) better = true
  }
  return better
}

/**
 * For each point the index of a point that dominates it (the best of those in the first objective, then the first), or null when it is
 * on the Pareto front. By point estimates only: intervals are for the reader to judge.
 */
export function dominatorsBy<T>(points: readonly T[], objectives: readonly Objective<T>[]): (number | null)[] {
  const [first] = objectives
  const rank = (point: T) => (first ? cost(first.of(point), first.better) : 0)
  return points.map((point) => {
    let best: number | null = null
    points.forEach((other, index) => {
      if (!dominatesBy(other, point, objectives)) return
      if (best === null || rank(other) < rank(points[best] as T)) best = index
    })
    return best
  })
}

/** {@link dominatorsBy} of latency and value. */
export function dominators(points: readonly TradeOff[]): (number | null)[] {
  return dominatorsBy(points, latencyAndValue)
}

/** What may be spent and what must be kept; a limit that is null does not count. */
export interface Budget {
  readonly maxLatencyMs: number | null
  readonly minValue: number | null
}

/**
 * Index of the point to take within a budget, or null when none fits. With a latency budget alone it is the one of highest value, as
 * that is what is left to gain; with a limit on the value (alone or besides) it is the fastest. Ties go to the better in the other
 * objective, then to the first.
 */
export function bestWithin(points: readonly TradeOff[], { maxLatencyMs, minValue }: Budget): number | null {
  const byValue = minValue === null && maxLatencyMs !== null
  let best: number | null = null
  points.forEach((point, index) => {
    if (maxLatencyMs !== null && point.latencyMs > maxLatencyMs) return
    if (minValue !== null && point.value < minValue) return
    if (best === null || isBetter(point, points[best] as TradeOff, byValue)) best = index
  })
  return best
}

function isBetter(a: TradeOff, b: TradeOff, byValue: boolean): boolean {
  if (byValue && a.value !== b.value) return a.value > b.value
  if (a.latencyMs !== b.latencyMs) return a.latencyMs < b.latencyMs
  return a.value > b.value
}

/** Lower is better, unmeasured is worst. */
function cost(value: number | null, better: Objective<unknown>['better']): number {
  if (value === null) return Number.POSITIVE_INFINITY
  return better === 'lower' ? value : -value
}
