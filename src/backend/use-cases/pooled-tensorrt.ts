import type { BenchResult, TensorRtRun } from '../../contract/measurement.ts'
import { percentileOfSorted } from '../../core/statistics/percentiles.ts'

/** Warnings of blocks differ in their numbers; more than these say nothing new. */
const MOST_WARNINGS = 100

/**
 * TensorRT over the blocks of one model: parts of the latency are medians of the blocks, warnings are those of all, the time for building
 * is that of the block that built (the engine is kept). Null where something else ran the model.
 */
export function pooledTensorRt(blocks: readonly BenchResult[]): TensorRtRun | null {
  const runs = blocks.flatMap(({ tensorRt }) => tensorRt ?? [])
  const [first] = runs
  if (!first) return null
  const middle = (key: 'computeMs' | 'copyInMs' | 'copyOutMs') => {
    const known = runs.flatMap((run) => run[key] ?? [])
    return known.length === 0 ? null : percentileOfSorted(Float64Array.from(known).sort(), 50)
  }
  return {
    ...first,
    buildSeconds: runs.find(({ buildSeconds }) => buildSeconds !== null)?.buildSeconds ?? null,
    warnings: [...new Set(runs.flatMap(({ warnings }) => warnings))].slice(0, MOST_WARNINGS),
    computeMs: middle('computeMs'),
    copyInMs: middle('copyInMs'),
    copyOutMs: middle('copyOutMs'),
  }
}
