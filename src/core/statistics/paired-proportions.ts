import { wilsonInterval } from './proportion.ts'

/** How two answers to the same samples turned out. */
export interface PairedCounts {
  readonly both: number
  readonly onlyFirst: number
  readonly onlySecond: number
  readonly neither: number
}

/**
 * 95 % interval of (share the second got right − share the first got right), both on the same samples: the Wilson intervals of the two
 * shares, put together with their correlation (square-and-add, with the continuity correction of φ). Stays within −1..1 and holds its
 * level for few samples and shares near 1, where the usual ± formula fails.
 * Example: both 1, only first 7, only second 1, neither 12 of 21: −0.286, from −0.507 to −0.026.
 * Source: Newcombe, Statistics in Medicine 17, 1998, 2635–2650, method 10.
 *
 * @throws RangeError when nothing was counted
 */
export function pairedDifferenceInterval({ both, onlyFirst, onlySecond, neither }: PairedCounts): [number, number] {
  const count = both + onlyFirst + onlySecond + neither
  if (count === 0) throw new RangeError('no samples to compare')
  const [first, second] = [both + onlyFirst, both + onlySecond]
  const [p1, p2] = [first / count, second / count]
  const [low1, high1] = wilsonInterval(first, count)
  const [low2, high2] = wilsonInterval(second, count)
  const phi = correlation(both, onlyFirst, onlySecond, neither)
  const spread = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b))
  const difference = (onlySecond - onlyFirst) / count
  return [Math.max(-1, difference - spread(p2 - low2, high1 - p1)), Math.min(1, difference + spread(high2 - p2, p1 - low1))]
}

/** φ of the four counts, moved towards 0 by half a sample where it is positive; 0 where a share is 0 or 1. */
function correlation(both: number, onlyFirst: number, onlySecond: number, neither: number): number {
  const marginals = (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither)
  if (marginals === 0) return 0
  const product = both * neither - onlyFirst * onlySecond
  const count = both + onlyFirst + onlySecond + neither
  return (product > 0 ? Math.max(0, product - count / 2) : product) / Math.sqrt(marginals)
}
