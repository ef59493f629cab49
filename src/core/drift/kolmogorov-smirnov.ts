import { kolmogorovSurvival } from './kolmogorov-distribution.ts'

/** Two samples compared by their distributions. */
export interface KolmogorovSmirnov {
  /** D: the greatest distance between the two empirical distribution functions, 0 to 1. */
  readonly statistic: number
  /** P(D at least as great) when both come from one continuous distribution; too high, never too low, where values are equal. */
  readonly pValue: number
}

/** Cells of the path count that the exact p-value may take: some 10 ms on a board. */
const MOST_CELLS = 4_000_000
/** Below it the approximation is off by more than 1e-5. */
const FEWEST_FOR_APPROXIMATION = 200

/**
 * Two-sided two-sample Kolmogorov-Smirnov test: the numbers of `scipy.stats.ks_2samp` (SciPy 1.17).
 *
 * @param first ascending, without NaN, at least one value; so is `second`
 * @param method exact: by counting paths; asymptotic: from n·m/(n+m) samples; auto: exact unless that takes more than 4 million steps
 * @throws RangeError when a sample is empty
 */
export function kolmogorovSmirnov(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  method: 'auto' | 'exact' | 'asymptotic' = 'auto',
): KolmogorovSmirnov {
  const n = first.length
  const m = second.length
  if (n === 0 || m === 0) throw new RangeError(`samples of ${n} and ${m} values, expected at least one in each`)
  const steps = greatestSteps(first, second)
  const statistic = steps / (n * m)
  const isExact = n === m || n * m <= MOST_CELLS || Math.min(n, m) < FEWEST_FOR_APPROXIMATION
  if (method === 'exact' || (method === 'auto' && isExact)) return { statistic, pValue: exactPValue(steps, n, m) }
  return { statistic, pValue: kolmogorovSurvival(statistic, Math.round((n * m) / (n + m))) }
}

/** D · n · m, a whole number: no rounding until it is known. */
function greatestSteps(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const n = first.length
  const m = second.length
  let i = 0
  let j = 0
  let greatest = 0
  while (i < n && j < m) {
    const value = Math.min(first[i] as number, second[j] as number)
    while (i < n && (first[i] as number) === value) i++
    while (j < m && (second[j] as number) === value) j++
    greatest = Math.max(greatest, Math.abs(i * m - j * n))
  }
  return greatest
}

function exactPValue(steps: number, n: number, m: number): number {
  if (steps === 0) return 1
  return Math.min(1, n === m ? outsideSquare(n, steps / n) : outsideBand(Math.max(n, m), Math.min(n, m), steps))
}

/**
 * Share of the paths from (0, 0) to (n, n) that leave |x − y| < h: 2 (C(2n, n−h) − C(2n, n−2h) + …) ÷ C(2n, n), factored so that nothing cancels.
 * Source: Gnedenko & Korolyuk 1951; the scheme is that of SciPy's `_compute_prob_outside_square`.
 */
function outsideSquare(n: number, h: number): number {
  let share = 0
  for (let k = Math.floor(n / h); k >= 0; k--) {
    let ratio = 1
    for (let j = 0; j < h; j++) ratio *= (n - k * h - j) / (n + k * h + j + 1)
    share = ratio * (1 - share)
  }
  return 2 * share
}

/**
 * Share of the paths from (0, 0) to (n, m) that somewhere leave |x·m − y·n| < steps, n ≥ m. A path to (x, y) came from (x − 1, y) with
 * probability x/(x + y), else from (x, y − 1); outside the band the share is 1. Adding shares instead of numbers of paths, small p-values
 * keep their digits. Source: Hodges, "The Significance Probability of the Smirnov Two-Sample Test", Ark. Mat. 3(5), 1958.
 */
function outsideBand(n: number, m: number, steps: number): number {
  // share[y] of the current column; above the band it was never touched and stays 1.
  const share = new Float64Array(m + 1).fill(1)
  for (let x = 0; x <= n; x++) {
    const low = Math.max(0, Math.floor((x * m - steps) / n) + 1)
    const high = Math.min(m, Math.ceil((x * m + steps) / n) - 1)
    if (low > high) return 1
    let below = low === 0 ? 0 : 1
    for (let y = low; y <= high; y++) {
      below = x + y === 0 ? 0 : ((share[y] as number) * x + below * y) / (x + y)
      share[y] = below
    }
  }
  return share[m] as number
}
