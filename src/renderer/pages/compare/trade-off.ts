import { headlineMetric } from '../../../contract/evaluation.ts'
import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { type Budget, bestWithin, dominators } from '../../../core/comparison/pareto.ts'
import { metricInterval } from '../../text/metric-text.ts'

/** What a build costs: less is better. */
export type CostMeasure = 'p50' | 'p95' | 'size' | 'memory'
/** What stands on the other axis: the headline metric, or another cost. */
export type GainMeasure = 'metric' | 'size' | 'memory'

/** The metric that the rows of a comparison share, and which way it is better; null where there is none. */
export interface SharedMetric {
  readonly metric: string
  readonly better: 'higher' | 'lower'
}

/** A row as a point of the trade-off chart. */
export interface TradeOffPoint {
  readonly row: ComparisonRow
  readonly index: number
  readonly cost: number
  readonly costInterval: readonly [number, number]
  /** In the unit of its measure. */
  readonly value: number
  readonly valueInterval: readonly [number, number]
  /** The value, turned so that more is better. */
  readonly gain: number
  /** Name of a model that is at least as good in both and better in one; null on the front. */
  readonly dominatedBy: string | null
}

/** The headline metric of most rows. A parity comparison has none for its baseline. */
export function sharedMetric({ rows }: Comparison): SharedMetric | null {
  const counts = new Map<string, { readonly found: SharedMetric; count: number }>()
  for (const { metrics } of rows) {
    const headline = metrics && headlineMetric(metrics)
    if (!headline) continue
    const entry = counts.get(headline.metric) ?? { found: { metric: headline.metric, better: headline.better }, count: 0 }
    entry.count++
    counts.set(headline.metric, entry)
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.found ?? null
}

/** Points for the rows that have both measures. */
export function tradeOffPoints(comparison: Comparison, cost: CostMeasure, gain: GainMeasure): TradeOffPoint[] {
  const shared = sharedMetric(comparison)
  const points = comparison.rows.flatMap((row, index) => {
    const spent = measured(row, cost, shared)
    const got = measured(row, gain, shared)
    if (!spent || !got) return []
    const sign = gain === 'metric' && shared?.better === 'higher' ? 1 : -1
    return [
      {
        row,
        index,
        cost: spent.value,
        costInterval: spent.interval,
        value: got.value,
        valueInterval: got.interval,
        gain: sign * got.value,
      },
    ]
  })
  const better = dominators(points.map(asTradeOff))
  return points.map((point, at) => {
    const dominator = better[at]
    return { ...point, dominatedBy: dominator === null || dominator === undefined ? null : (points[dominator]?.row.model ?? null) }
  })
}

/**
 * The point to take within a budget; undefined when none fits.
 * @param budget a limit on the cost, and the least gain; both in the units of the points
 */
export function chosenPoint(
  points: readonly TradeOffPoint[],
  budget: { readonly maxCost: number | null; readonly minGain: number | null },
): TradeOffPoint | undefined {
  const limits: Budget = { maxLatencyMs: budget.maxCost, minValue: budget.minGain }
  const index = bestWithin(points.map(asTradeOff), limits)
  return index === null ? undefined : points[index]
}

function asTradeOff({ cost, gain }: { readonly cost: number; readonly gain: number }): { latencyMs: number; value: number } {
  return { latencyMs: cost, value: gain }
}

function measured(
  row: ComparisonRow,
  measure: CostMeasure | GainMeasure,
  shared: SharedMetric | null,
): { readonly value: number; readonly interval: readonly [number, number] } | null {
  switch (measure) {
    case 'p50':
    case 'p95': {
      const value = row.latencyMs[measure]
      return value === null ? null : { value, interval: row.latencyMs.ci[measure] ?? [value, value] }
    }
    case 'size':
      return { value: row.sizeBytes, interval: [row.sizeBytes, row.sizeBytes] }
    case 'memory':
      return { value: row.peakRssBytes, interval: [row.peakRssBytes, row.peakRssBytes] }
    case 'metric': {
      const headline = row.metrics && headlineMetric(row.metrics)
      if (!row.metrics || !headline || headline.metric !== shared?.metric) return null
      return { value: headline.value, interval: metricInterval(row.metrics, headline.metric) ?? [headline.value, headline.value] }
    }
  }
}
