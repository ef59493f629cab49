/** A sorted copy, smallest first. */
export function sortedAscending(values: Float32Array): Float32Array {
  return values.slice().sort()
}

/**
 * Percentile of values that are already sorted, by linear interpolation between the two nearest ones: the value at position
 * `percent / 100 × (n − 1)`, counted from 0. The same as NumPy's default method (`linear`, Hyndman and Fan's type 7), also in
 * the way it rounds. Worked example: the 25th percentile of [1, 2, 3, 4] lies at position 0.75 and is 1.75.
 *
 * @param percent 0 to 100
 * @throws RangeError when there are no values or `percent` is out of range
 */
export function percentileOfSorted(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0) throw new RangeError('no values to take a percentile of')
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`percentile ${percent} is not between 0 and 100`)
  const position = (percent / 100) * (sorted.length - 1)
  const below = Math.floor(position)
  const fraction = position - below
  const low = sorted[below] as number
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number
  const step = high - low
  return fraction < 0.5 ? low + step * fraction : high - step * (1 - fraction)
}

/** Median of unsorted values (mean of the two middle ones for an even count). @throws RangeError when there are none */
export function median(values: Float32Array | Float64Array): number {
  return percentileOfSorted(values.slice().sort(), 50)
}
