import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { dominators } from '../../../core/comparison/pareto.ts'

/** What is set against latency. */
export type TradeOffMeasure = 'accuracy' | 'size'

/** A row as a point of the trade-off chart. `value` is a share for accuracy, bytes for size. */
export interface TradeOffPoint {
  readonly row: ComparisonRow
  readonly index: number
  readonly latencyMs: number
  readonly latencyInterval: readonly [number, number]
  readonly value: number
  readonly valueInterval: readonly [number, number]
  /** Name of a model that is at least as good in both and better in one; null on the front. */
  readonly dominatedBy: string | null
}

/** Points for the rows that have the measure. */
export function tradeOffPoints({ rows }: Comparison, measure: TradeOffMeasure): TradeOffPoint[] {
  const points = rows.flatMap((row, index) => {
    const value = measure === 'size' ? row.sizeBytes : row.metrics?.accuracy
    if (value === undefined) return []
    const latencyMs = row.latencyMs.p50
    const valueInterval = measure === 'accuracy' && row.metrics ? row.metrics.accuracyCi95 : ([value, value] as const)
    return [{ row, index, latencyMs, latencyInterval: row.latencyMs.ci.p50 ?? ([latencyMs, latencyMs] as const), value, valueInterval }]
  })
  const better = dominators(points.map(({ latencyMs, value }) => ({ latencyMs, value: measure === 'size' ? -value : value })))
  return points.map((point, at) => {
    const dominator = better[at]
    return { ...point, dominatedBy: dominator === null || dominator === undefined ? null : (points[dominator]?.row.model ?? null) }
  })
}

/** The point with the best value among those within a latency budget; undefined when none is. */
export function bestWithin(points: readonly TradeOffPoint[], measure: TradeOffMeasure, budgetMs: number): TradeOffPoint | undefined {
  const sign = measure === 'size' ? -1 : 1
  return points.filter(({ latencyMs }) => latencyMs <= budgetMs).sort((a, b) => sign * (b.value - a.value) || a.latencyMs - b.latencyMs)[0]
}
