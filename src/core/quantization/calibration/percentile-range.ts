import type { ValueRange } from '../affine-parameters.ts'
import { binEdges, magnitudeRange, magnitudes, within } from './histogram-bins.ts'
import type { HistogramBins } from './tensor-histogram.ts'

/**
 * The range that holds `percentile` percent of the values, never wider than what was observed.
 *
 * asymmetric: (100 − percentile) / 2 percent are cut on each side.
 * symmetric: the percentile T of |x|; the range is −T to T.
 * Inside a bin values are taken to be spread evenly.
 *
 * Worked example: 1000 values spread evenly over 0 to 10, percentile 98: 0.1 to 9.9 (asymmetric), 0 to 9.8 (symmetric).
 * Source: ONNX Runtime 1.30, `calibrate.HistogramCollector.compute_percentile`, which takes the lower edge of the bin instead.
 *
 * @param observed smallest and largest value
 */
export function percentileRange(bins: HistogramBins, observed: ValueRange, percentile: number, symmetric: boolean): ValueRange {
  if (symmetric) {
    const bound = quantile(magnitudes(bins), magnitudeRange(observed), percentile / 100)
    return within({ min: -bound, max: bound }, observed)
  }
  const cut = (100 - percentile) / 200
  return within({ min: quantile(bins, observed, cut), max: quantile(bins, observed, 1 - cut) }, observed)
}

/** The value below which the share `share` (0 to 1) of all values lies. */
function quantile(bins: HistogramBins, observed: ValueRange, share: number): number {
  const { counts } = bins
  const wanted = share * counts.reduce((sum, held) => sum + held, 0)
  let below = 0
  for (let index = 0; index < counts.length; index++) {
    const held = counts[index] as number
    if (held > 0 && below + held >= wanted) {
      const { min, max } = binEdges(bins, index, observed)
      return min + (max - min) * ((wanted - below) / held)
    }
    below += held
  }
  return observed.max
}
