import { percentileOfSorted } from './percentiles.ts'
import { type RandomSource, seededRandom } from './seeded-random.ts'

/** Leaves 50 resamples beyond each end of a 95 % interval, which steadies its ends to about a fiftieth of its width. */
const RESAMPLES = 2_000

/** Bounds the work of a resample: from 10,000 groups on, the interval's width is known to about one part in 140 (√(1 ÷ 2·groups)). */
const MOST_GROUPS = 10_000

/** Sums kept in all groups together; groups become fewer when there are many quantities, so that the work stays the same. */
const MOST_SUMS = 160_000

/** With fewer groups the interval would be too short by more than half a percent. */
const FEWEST_GROUPS = 200

/** Sums of some quantities over groups of samples, row-major [groups, quantities]. */
export interface GroupedSums {
  readonly groups: number
  readonly quantities: number
  readonly sums: Float64Array
}

/**
 * Puts samples into groups and adds up what a statistic needs of them. Up to 10,000 samples each is a group of its own (the ordinary
 * bootstrap); more are dealt out at random into groups of equal size (±1). Resampling such groups gives a sum the same variance as
 * resampling samples, because the groups are themselves random samples, and its work does not grow with the dataset.
 *
 * @param quantities numbers a sample adds to
 * @param add adds the quantities of a sample to `sums[at]` … `sums[at + quantities − 1]`
 * @param seed decides which samples share a group
 */
export function sumsInGroups(
  samples: number,
  quantities: number,
  add: (sample: number, sums: Float64Array, at: number) => void,
  seed: number,
): GroupedSums {
  const groups = Math.min(samples, MOST_GROUPS, Math.max(FEWEST_GROUPS, Math.floor(MOST_SUMS / quantities)))
  const sums = new Float64Array(groups * quantities)
  const order = groups < samples ? shuffled(samples, seededRandom(seed)) : undefined
  for (let place = 0; place < samples; place++) add(order ? (order[place] as number) : place, sums, (place % groups) * quantities)
  return { groups, quantities, sums }
}

/** 0 … count − 1 in random order (Fisher and Yates). */
function shuffled(count: number, random: RandomSource): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = random.below(last + 1)
    const moved = order[last] as number
    order[last] = order[other] as number
    order[other] = moved
  }
  return order
}

/**
 * Statistics of 2,000 resamples, each sorted. Resamples whose value is not a number (a statistic that is not defined for them) are
 * left out.
 * Source: Efron & Tibshirani, An Introduction to the Bootstrap, ch. 13.
 *
 * @param statistics answers the statistics for the sums of all quantities over one resample; always as many
 * @param seed same seed, same answer
 */
export function bootstrapStatistics(
  { groups, quantities, sums }: GroupedSums,
  statistics: (totals: Float64Array) => readonly number[],
  seed: number,
): Float64Array[] {
  const random = seededRandom(seed)
  const totals = new Float64Array(quantities)
  const found: number[][] = statistics(totals).map(() => [])
  for (let resample = 0; resample < RESAMPLES; resample++) {
    totals.fill(0)
    for (let draw = 0; draw < groups; draw++) {
      // The bias of this is below one part in 400,000, and it takes half the time of an exact draw.
      const at = Math.floor(random.uniform() * groups) * quantities
      for (let i = 0; i < quantities; i++) totals[i] = totals[i]! + sums[at + i]!
    }
    for (const [index, value] of statistics(totals).entries()) if (!Number.isNaN(value)) found[index]?.push(value)
  }
  return found.map((values) => Float64Array.from(values).sort())
}

/** The sums of all groups: what the statistics of the samples themselves are computed from. */
export function totalSums({ groups, quantities, sums }: GroupedSums): Float64Array {
  const totals = new Float64Array(quantities)
  for (let group = 0; group < groups; group++) {
    for (let i = 0; i < quantities; i++) totals[i] = totals[i]! + sums[group * quantities + i]!
  }
  return totals
}

/** The middle 95 % of sorted resamples, `undefined` when there are none. */
export function percentileInterval(sorted: Float64Array): [number, number] | undefined {
  return sorted.length === 0 ? undefined : [percentileOfSorted(sorted, 2.5), percentileOfSorted(sorted, 97.5)]
}

/**
 * Two-sided p-value of "the statistic is 0": twice the smaller share of resamples on one side of 0, the observed sample counted as one
 * of them, so that it is never 0. Source: Davison & Hinkley, Bootstrap Methods and their Application, §4.4.
 */
export function bootstrapPValue(sorted: Float64Array): number {
  let atMost = 0
  let atLeast = 0
  for (const value of sorted) {
    if (value <= 0) atMost++
    if (value >= 0) atLeast++
  }
  return Math.min(1, (2 * (Math.min(atMost, atLeast) + 1)) / (sorted.length + 1))
}
