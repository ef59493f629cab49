import type { ComparisonRow } from '../../../contract/measurement.ts'

/** A step of a distribution's outline: from `ms` on, this height. */
export interface OutlinePoint {
  readonly ms: number
  /** 0 to 1, where 1 is the fullest bin of the distribution. */
  readonly height: number
}

/** A histogram ready to be drawn. */
export interface Outline {
  readonly points: readonly OutlinePoint[]
  /** Samples beyond the drawn range, and where the slowest lies; null when all are drawn. */
  readonly tail: { readonly count: number; readonly fromMs: number; readonly toMs: number } | null
}

/** A last bin this many times wider than the others holds the slow tail and is told in words: drawn, it would squeeze the rest. */
const TAIL_WIDTH = 1.5

/** The outline of a histogram on its equal bins, scaled to its own peak. */
export function histogramOutline({ edgesMs, counts }: ComparisonRow['histogram']): Outline {
  const first = edgesMs[0]
  const second = edgesMs[1]
  if (first === undefined || second === undefined || counts.length === 0) return { points: [], tail: null }
  const width = second - first
  const fromMs = edgesMs[counts.length - 1] ?? first
  const toMs = edgesMs[counts.length] ?? fromMs
  const hasTail = counts.length > 1 && toMs - fromMs > width * TAIL_WIDTH
  const drawn = hasTail ? counts.slice(0, -1) : counts
  const peak = Math.max(...drawn, 1)
  const points = drawn.map((count, bin) => ({ ms: edgesMs[bin] ?? 0, height: count / peak }))
  points.push({ ms: hasTail ? fromMs : toMs, height: points.at(-1)?.height ?? 0 })
  const tailCount = hasTail ? (counts.at(-1) ?? 0) : 0
  return { points, tail: tailCount > 0 ? { count: tailCount, fromMs, toMs } : null }
}
