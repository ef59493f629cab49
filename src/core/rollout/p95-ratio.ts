import { percentileRanks } from '../statistics/percentile-interval.ts'
import { percentileOfSorted, sortedAscending } from '../statistics/percentiles.ts'

/** How many times as long the 95th percentile of one release is as that of another. */
export interface P95Ratio {
  readonly triedMs: number
  readonly stableMs: number
  readonly ratio: number
  /** 95 % interval. */
  readonly lower: number
  readonly upper: number
}

/**
 * p95 (tried) ÷ p95 (stable) with its 95 % interval: the exact intervals of both percentiles from order statistics, put together on the
 * logarithmic scale (method of variance estimates recovery), which needs no assumption about how latencies are distributed.
 * Source: Zou & Donner, Statistics in Medicine 27, 2008, 1693–1702, for the difference of two logarithms.
 *
 * @param tried latencies in milliseconds, in any order
 * @returns null where one side has fewer than 59 samples: no interval of a p95 exists then
 */
export function p95Ratio(tried: Float32Array, stable: Float32Array): P95Ratio | null {
  const one = logP95(tried)
  const other = logP95(stable)
  if (!one || !other) return null
  const difference = one.value - other.value
  const lower = difference - Math.hypot(one.value - one.lower, other.upper - other.value)
  const upper = difference + Math.hypot(one.upper - one.value, other.value - other.lower)
  return {
    triedMs: Math.exp(one.value),
    stableMs: Math.exp(other.value),
    ratio: Math.exp(difference),
    lower: Math.exp(lower),
    upper: Math.exp(upper),
  }
}

/** A clock may give 0 for what is very short; its logarithm would be infinite. */
const shortestMs = 1e-3

function logP95(latenciesMs: Float32Array): { value: number; lower: number; upper: number } | null {
  const ranks = percentileRanks(latenciesMs.length, 95)
  if (!ranks) return null
  const sorted = sortedAscending(latenciesMs)
  const log = (ms: number) => Math.log(Math.max(ms, shortestMs))
  return {
    value: log(percentileOfSorted(sorted, 95)),
    lower: log(sorted[ranks.lower - 1] as number),
    upper: log(sorted[ranks.upper - 1] as number),
  }
}
