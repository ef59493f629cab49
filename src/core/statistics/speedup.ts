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

/** The usual seed of the resampling, fixed so that the same samples always give the same interval. */
export const BOOTSTRAP_SEED = 20_240_229

/** Runs measured at different times need more to be called different. */
const SMALLEST_DIFFERENCE_OF_SEPARATE_RUNS = 1.05

/** Pieces that a single run is cut into: enough for an interval, each long enough for a median. */
export const PIECES = 20

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
  return judged(centre, low, high, SMALLEST_DIFFERENCE, blocks)
}

/**
 * The same with the verdict taken back where a build lies within what the baseline showed against itself in the same blocks.
 * @param floor the baseline measured as if it were a build; null where it was not
 */
export function beyondNoise(found: Speedup, floor: Speedup | null): Speedup {
  if (!floor || found.verdict === 'no difference shown') return found
  const [low, high] = floor.ci95
  const within = found.estimate >= low && found.estimate <= high
  return within ? { ...found, verdict: 'no difference shown' } : found
}

/**
 * Compares two runs that were measured at different times, each in one process, for example from the history. Each run is cut into
 * {@link PIECES} pieces in time order, whose medians are resampled for each run on its own; estimate and interval as in
 * {@link speedup}: it holds where the machine wanders faster than a piece lasts. What changed between the runs (heat, other programs, where the process landed in memory) is in the ratio and in
 * no interval, so a verdict needs a difference of more than 5 %: such runs of the same build differ by that much at times.
 *
 * @param baseline latencies of one run in the order they were taken, `run` those of the other
 * @param seed decides the resampling
 * @throws RangeError for fewer than two samples a piece, or a median that is not positive
 */
export function speedupOfSeparateRuns(baseline: Float32Array, run: Float32Array, seed: number): Speedup {
  const [first, second] = [pieceMedians(baseline), pieceMedians(run)]
  const random = seededRandom(seed)
  const estimates = new Float64Array(RESAMPLES)
  for (let draw = 0; draw < RESAMPLES; draw++) estimates[draw] = resampledMean(first, random) - resampledMean(second, random)
  estimates.sort()
  const tail = expandedTail(PIECES)
  const centre = trimmedMean(first.slice().sort()) - trimmedMean(second.slice().sort())
  return judged(
    centre,
    percentileOfSorted(estimates, tail),
    percentileOfSorted(estimates, 100 - tail),
    SMALLEST_DIFFERENCE_OF_SEPARATE_RUNS,
    PIECES,
  )
}

/** Logarithms of the medians of consecutive pieces. */
function pieceMedians(samples: Float32Array): Float64Array {
  if (samples.length < 2 * PIECES) throw new RangeError(`${samples.length} samples, at least ${2 * PIECES} are needed`)
  const start = (piece: number) => Math.floor((piece * samples.length) / PIECES)
  return Float64Array.from({ length: PIECES }, (_, piece) => Math.log(blockMedian(samples.subarray(start(piece), start(piece + 1)))))
}

function judged(centre: number, low: number, high: number, smallest: number, blocks: number): Speedup {
  const estimate = Math.exp(centre)
  const ci95: [number, number] = [Math.exp(low), Math.exp(high)]
  let verdict: Speedup['verdict'] = 'no difference shown'
  if (ci95[0] > 1 && estimate > smallest) verdict = 'faster'
  if (ci95[1] < 1 && estimate < 1 / smallest) verdict = 'slower'
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
  const estimates = new Float64Array(RESAMPLES)
  for (let draw = 0; draw < RESAMPLES; draw++) estimates[draw] = resampledMean(ratios, random)
  estimates.sort()
  const tail = expandedTail(ratios.length)
  return [trimmedMean(ratios.slice().sort()), percentileOfSorted(estimates, tail), percentileOfSorted(estimates, 100 - tail)]
}

/** Trimmed mean of as many values drawn from `values`, with replacement. */
function resampledMean(values: Float64Array, random: ReturnType<typeof seededRandom>): number {
  const drawn = new Float64Array(values.length)
  for (let i = 0; i < drawn.length; i++) drawn[i] = values[random.below(values.length)] as number
  return trimmedMean(drawn.sort())
}

/** Percentage beyond each end of the interval, smaller than 2.5 for small counts. */
function expandedTail(count: number): number {
  return 100 * normalCdf(-Math.sqrt(count / (count - 1)) * studentQuantile(0.95, count - 1))
}

function trimmedMean(sorted: Float64Array): number {
  const cut = Math.floor(sorted.length * TRIM)
  let sum = 0
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i] as number
  return sum / (sorted.length - 2 * cut)
}
