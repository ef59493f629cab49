/** Cumulative probabilities of a binomial distribution; outside the stored window they are 0 below and 1 above. */
export interface BinomialTable {
  /** Number of successes the first entry belongs to. */
  readonly first: number
  /** P(X ≤ first + i). */
  readonly cumulative: Float64Array
}

/**
 * The distribution of the number of successes in `trials` independent trials. Weights are made outwards from the mode by the
 * ratio of neighbours and divided by their sum, so no factorial or logarithm loses digits; the window ends where weights
 * underflow (about 38 standard deviations: 40,000 entries for a million trials).
 *
 * @param trials whole number ≥ 0
 * @param probability of success, 0 < p < 1
 */
export function binomialTable(trials: number, probability: number): BinomialTable {
  const odds = probability / (1 - probability)
  const mode = Math.min(trials, Math.floor((trials + 1) * probability))
  const below: number[] = []
  for (let k = mode, weight = 1; k > 0; k--) {
    weight *= k / ((trials - k + 1) * odds)
    if (weight === 0) break
    below.push(weight)
  }
  const weights = below.reverse()
  const first = mode - weights.length
  weights.push(1)
  for (let k = mode, weight = 1; k < trials; k++) {
    weight *= ((trials - k) / (k + 1)) * odds
    if (weight === 0) break
    weights.push(weight)
  }
  // Added from the small end, so that tiny lower tails (small p-values) keep their digits.
  const cumulative = new Float64Array(weights.length)
  let total = 0
  weights.forEach((weight, i) => {
    total += weight
    cumulative[i] = total
  })
  for (let i = 0; i < cumulative.length; i++) cumulative[i] = (cumulative[i] as number) / total
  return { first, cumulative }
}

/** P(X ≤ k). */
export function cumulativeAt(table: BinomialTable, k: number): number {
  if (k < table.first) return 0
  return table.cumulative[Math.min(k - table.first, table.cumulative.length - 1)] as number
}
