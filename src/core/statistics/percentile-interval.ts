import { binomialTable, cumulativeAt } from './binomial.ts'

/** Chance that an interval misses the true value: 95 % intervals everywhere. */
const MISS = 0.05

/** Ranks (1 = smallest sample) whose samples enclose a percentile. */
export interface RankInterval {
  readonly lower: number
  readonly upper: number
}

/**
 * Exact 95 % confidence interval of a percentile from order statistics: the number of samples below the true percentile is
 * binomial, whatever the distribution of latencies looks like. Each tail gets 2.5 %; where the sample is too small for that on
 * one side, that side ends at the extreme sample and the other side gets what is left of the 5 %. Example: of 1,000 samples the
 * 95th percentile lies between the 936th and the 964th, the 99th between the 983rd and the 997th.
 *
 * Exact for independent samples. Successive inferences are not quite that, so for comparing builds use whole blocks (`speedup.ts`).
 * Source: David & Nagaraja, Order Statistics, 3rd ed., §7.1.
 *
 * @returns `undefined` when even smallest to largest covers the percentile in less than 95 % of cases ({@link minimumSamples})
 */
export function percentileRanks(count: number, percent: number): RankInterval | undefined {
  if (count < minimumSamples(percent)) return undefined
  const share = percent / 100
  const aboveAll = share ** count
  const belowAll = (1 - share) ** count
  // A side that has to end at the extreme sample misses more than its 2.5 %: the other side gives up as much.
  const lowerLimit = aboveAll > MISS / 2 ? MISS - aboveAll : MISS / 2
  const upperLimit = belowAll > MISS / 2 ? MISS - belowAll : MISS / 2
  const table = binomialTable(count, share)
  let lower = Math.max(1, table.first)
  while (lower < count && cumulativeAt(table, lower) <= lowerLimit) lower++
  let upper = lower
  while (upper < count && 1 - cumulativeAt(table, upper - 1) > upperLimit) upper++
  return { lower, upper }
}

/**
 * Fewest samples from which a percentile may be printed: from then on smallest to largest sample encloses it with 95 %
 * confidence. 6 for the median, 29 for p90, 59 for p95, 299 for p99, 2,995 for p99.9.
 */
export function minimumSamples(percent: number): number {
  const share = percent / 100
  if (!(share > 0 && share < 1)) throw new RangeError(`percentile ${percent} is not between 0 and 100`)
  const outside = (count: number) => share ** count + (1 - share) ** count
  let count = Math.max(1, Math.floor(Math.log(MISS) / Math.log(Math.max(share, 1 - share))))
  while (outside(count) > MISS) count++
  while (count > 1 && outside(count - 1) <= MISS) count--
  return count
}
