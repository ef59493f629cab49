import type { SampleSummary } from '../../../contract/report.ts'
import { sharedHistogram } from '../../../core/statistics/histogram.ts'
import { backToBackOffsets, latencySeries } from '../../../core/statistics/latency-series.ts'
import { percentileOfSorted, sortedAscending } from '../../../core/statistics/percentiles.ts'

/** Half percents from 0 to 100. */
const QUANTILES = 201
/** Bins of the histogram: about as many as a chart in a report has pixels to tell apart. */
const BINS = 64
/** Pieces of the series over time. */
const PIECES = 400

/**
 * The samples of one benchmark summed up: quantiles at each half percent (linear interpolation, as NumPy's default), a histogram, and
 * medians of consecutive samples over time. No sample is left out.
 *
 * @param latenciesMs at least one, in the order they were taken
 * @param offsetsMs when each began since the first, same length; null: one after another without a pause
 */
export function summarizeSamples(benchmarkId: string, latenciesMs: Float32Array, offsetsMs: Float64Array | null): SampleSummary {
  const sorted = sortedAscending(latenciesMs)
  const { edges, counts } = sharedHistogram([latenciesMs], BINS)
  const series = latencySeries(latenciesMs, offsetsMs ?? backToBackOffsets(latenciesMs), PIECES)
  return {
    benchmarkId,
    samples: latenciesMs.length,
    quantilesMs: Array.from({ length: QUANTILES }, (_, index) => percentileOfSorted(sorted, (index * 100) / (QUANTILES - 1))),
    histogram: { edgesMs: edges, counts: counts[0] ?? [] },
    offsetsMs: series.offsetsMs,
    mediansMs: series.medianMs,
  }
}
