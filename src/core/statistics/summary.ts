/** Moments and range of a set of values. */
export interface Summary {
  readonly count: number
  readonly mean: number
  /** Sample standard deviation (divisor n − 1); 0 for a single value, which shows no spread. */
  readonly std: number
  readonly min: number
  readonly max: number
}

/**
 * Mean, sample standard deviation, minimum and maximum of `values`, summed in float64 in two passes (the textbook one-pass
 * formula loses all digits when the spread is small against the mean, as latencies in a stable run are).
 *
 * @throws RangeError when `values` is empty
 */
export function summarize(values: ArrayLike<number>): Summary {
  const count = values.length
  if (count === 0) throw new RangeError('no values to summarize')
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) {
    const deviation = (values[i] as number) - mean
    squares += deviation * deviation
  }
  return { count, mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : 0, min, max }
}
