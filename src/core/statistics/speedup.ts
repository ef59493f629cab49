import { normalCdf, studentQuantile } from './distributions.ts'
import { median, percentileOfSorted } from './percentiles.ts'
import { seededRandom } from './seeded-random.ts'
import { summarize } from './summary.ts'

/** How much faster a build is than the baseline. The shape of the contract's `speedupSchema`. */
export interface Speedup {
  /** Baseline time ÷ build time: above 1 the build is faster. */
  readonly estimate: number
  readonly ci95: [number, number]
  readonly verdict: 'faster' | 'slower' | 'no difference shown'
  /** Pairs of blocks behind it. */
  readonly blocks: number
}

/** A difference below 2 % is not called one: code placement and memory layout alone move timings by that much between processes. */
const SMALLEST_DIFFERENCE = 1.02

/** Share of pairs cut off at each end for the estimate: one in five of a noisy machine's blocks may be spoiled without moving it. */
const TRIM = 0.2

/** With fewer pairs no resampled interval reaches 95 %: smallest to largest of n encloses the centre with 1 − 2 × 0.5ⁿ (n = 6: 97 %). */
const FEWEST_FOR_BOOTSTRAP = 6

/** Leaves 24 or more resamples beyond each end of the interval, enough to steady it in the third digit. */
const RESAMPLES = 10_000

/**
 * Compares two builds from interleaved blocks of latency samples (A B B A A B …: block i of each side ran next to each other).
 *
 * Samples within a block are not independent, so a block counts as one observation, its median. The estimate is the 20 % trimmed
 * mean of the log ratios of paired medians; the interval comes from resampling pairs (percentile bootstrap, its levels widened so
 * that small numbers of blocks hold 95 %: Hesterberg 2015, "What Teachers Should Know about the Bootstrap", expanded percentile
 * interval). With fewer than 6 pairs it is the t interval of their mean, which is wide, as it should be. A verdict other than
 * `no difference shown` needs an interval that excludes 1 and an estimate more than 2 % away from it.
 *
 * @param baselineBlocks latencies of the baseline, one array a block; `buildBlocks` the same for the build
 * @param seed decides the resampling: same input, same answer
 * @throws RangeError for fewer than 2 blocks, different numbers of blocks, an empty block or a median that is not positive
 */
export function speedup(baselineBlocks: readonly Float32Array[], buildBlocks: readonly Float32Array[], seed: number): Speedup {
  const blocks = baselineBlocks.length
  if (blocks !== buildBlocks.length) throw new RangeError(`${blocks} blocks of the baseline, ${buildBlocks.length} of the build`)
  if (blocks < 2) throw new RangeError(`${blocks} pairs of blocks, at least 2 are needed`)
  const ratios = Float64Array.from(baselineBlocks, (block, i) => Math.log(blockMedian(block) / blockMedian(buildBlocks[i] as Float32Array)))
  const [centre, low, high] = blocks < FEWEST_FOR_BOOTSTRAP ? studentInterval(ratios) : bootstrapInterval(ratios, seed)
  const estimate = Math.exp(centre)
  const ci95: [number, number] = [Math.exp(low), Math.exp(high)]
  let verdict: Speedup['verdict'] = 'no difference shown'
  if (ci95[0] > 1 && estimate > SMALLEST_DIFFERENCE) verdict = 'faster'
  if (ci95[1] < 1 && estimate < 1 / SMALLEST_DIFFERENCE) verdict = 'slower'
  return { estimate, ci95, verdict, blocks }
}

function blockMedian(block: Float32Array): number {
  const value = median(block)
  if (!(value > 0)) throw new RangeError(`median of a block is ${value} ms, expected more than 0`)
  return value
}

/** Estimate, lower and upper end. */
type Estimate = readonly [number, number, number]

function studentInterval(ratios: Float64Array): Estimate {
  const { mean, std, count } = summarize(ratios)
  const half = (studentQuantile(0.95, count - 1) * std) / Math.sqrt(count)
  return [mean, mean - half, mean + half]
}

function bootstrapInterval(ratios: Float64Array, seed: number): Estimate {
  const random = seededRandom(seed)
  const count = ratios.length
  const resample = new Float64Array(count)
  const estimates = new Float64Array(RESAMPLES)
  for (let draw = 0; draw < RESAMPLES; draw++) {
    for (let i = 0; i < count; i++) resample[i] = ratios[random.below(count)] as number
    estimates[draw] = trimmedMean(resample.sort())
  }
  estimates.sort()
  const tail = 100 * normalCdf(-Math.sqrt(count / (count - 1)) * studentQuantile(0.95, count - 1))
  return [trimmedMean(ratios.slice().sort()), percentileOfSorted(estimates, tail), percentileOfSorted(estimates, 100 - tail)]
}

function trimmedMean(sorted: Float64Array): number {
  const cut = Math.floor(sorted.length * TRIM)
  let sum = 0
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i] as number
  return sum / (sorted.length - 2 * cut)
}
