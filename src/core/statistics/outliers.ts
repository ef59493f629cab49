import { median, percentileOfSorted } from './percentiles.ts'

/** Makes the median absolute deviation estimate the standard deviation of a normal distribution: 1 / Φ⁻¹(3/4). */
const NORMAL_SCALE = 1.482602218505602

/** Beyond this many scaled deviations a sample counts as an outlier: about one in 370 of a normal distribution does. */
const LIMIT = 3

/**
 * Share of samples, 0 to 1, that lie more than 3 scaled median absolute deviations from the median. Says how much a machine or model
 * disturbs itself; no sample is left out for it. `null` where more than half of the samples are equal: there is no spread to measure by.
 * Source: Leys et al. 2013, "Detecting outliers"; the scale is that of SciPy's `median_abs_deviation(scale='normal')`.
 *
 * @throws RangeError when there are no samples
 */
export function outlierShare(samples: Float32Array): number | null {
  const centre = median(samples)
  const deviations = Float64Array.from(samples, (value) => Math.abs(value - centre))
  const limit = LIMIT * NORMAL_SCALE * percentileOfSorted(deviations.slice().sort(), 50)
  if (limit === 0) return null
  let outside = 0
  for (const deviation of deviations) if (deviation > limit) outside++
  return outside / samples.length
}
