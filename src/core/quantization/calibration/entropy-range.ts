import type { ValueRange } from '../affine-parameters.ts'
import { ClippingDivergence } from './clipping-divergence.ts'
import { aroundZero, magnitudeRange, magnitudes, within } from './histogram-bins.ts'
import type { HistogramBins } from './tensor-histogram.ts'

/** Bins searched at most; between this and half of it hold the values (TensorRT: 2048). */
const SEARCHED_BINS = 4096
/** Levels on one side of zero in 8 bits with a sign. */
const SYMMETRIC_LEVELS = 128
const ASYMMETRIC_LEVELS = 256
/** Candidates for one end, evenly spaced, before the neighbourhood of the best one is searched more finely, down to single bins. */
const COARSE_CANDIDATES = 192
/** How much finer each further search is. */
const REFINEMENT = 8
/** The ends of a two-sided range are moved in turns until neither moves; a bound, in case they go in circles. */
const MOST_TURNS = 8

/**
 * The range whose 8-bit version tells least apart from the values: the one with the smallest Kullback-Leibler divergence
 * Σ p·log(p / q). p is the histogram with everything beyond the range added to its outermost bins; q the histogram of the range merged to
 * as many levels as the type has there, each level spread again over those of its bins that are not empty. Both are normalized.
 *
 * symmetric: 128 levels over |x|. asymmetric: 256 levels; an end at zero (ReLU) stays there, otherwise both ends are searched in turns.
 * Exact zeros beyond what the neighbouring bins hold are left out. (Other values that occur very often, such as what a blank background
 * becomes, pull the range in, because narrow levels tell them apart better; that is the method's own.) Among equals the widest range wins,
 * so that few values (each in a bin of its own) are not clipped.
 *
 * Worked example: 8 bins 4 4 2 2 0 0 0 1, 2 levels. Over 4 bins: p = 4 4 2 3, q = 4 4 2 2 of 12: divergence
 * 4/13·log(12/13)·2 + 2/13·log(12/13) + 3/13·log(18/13) = 0.0135. Over all 8: levels hold 12 in 4 bins and 1 in 1 bin, q = 3 3 3 3 0 0 0 1,
 * divergence 8/13·log(4/3) + 4/13·log(2/3) = 0.0523. The value in the last bin is clipped.
 *
 * Sources: S. Migacz, 8-bit inference with TensorRT (GTC 2017); NVIDIA pytorch-quantization `_compute_amax_entropy` (which also replaces the
 * count of the zero bin). ONNX Runtime's own calibrator has 128 bins for 128 levels and so, as a rule, nothing to search.
 *
 * @param observed smallest and largest value
 */
export function entropyRange(bins: HistogramBins, observed: ValueRange, symmetric: boolean): ValueRange {
  if (symmetric) {
    const { max } = searchedEnds(magnitudes(bins), magnitudeRange(observed), SYMMETRIC_LEVELS)
    return within({ min: -max, max }, observed)
  }
  return searchedEnds(bins, observed, ASYMMETRIC_LEVELS)
}

function searchedEnds(bins: HistogramBins, observed: ValueRange, levels: number): ValueRange {
  const whole = aroundZero(bins, SEARCHED_BINS)
  const divergence = new ClippingDivergence(whole, levels)
  const size = whole.counts.length
  const zero = -whole.first
  let [from, end] = [0, size]
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const [fromBefore, endBefore] = [from, end]
    if (zero < size) end = bestEnd((candidate) => divergence.of(from, candidate), size, Math.max(zero + 1, from + levels))
    if (zero > 0) from = size - bestEnd((candidate) => divergence.of(size - candidate, end), size, size - Math.min(zero - 1, end - levels))
    if (from === fromBefore && end === endBefore) break
  }
  return within(
    {
      min: from === 0 ? observed.min : (whole.first + from) * whole.width,
      max: end === size ? observed.max : (whole.first + end) * whole.width,
    },
    observed,
  )
}

/** The number of bins between `least` and `most` with the smallest divergence, the larger one among equals. */
function bestEnd(divergence: (candidate: number) => number, most: number, least: number): number {
  let best = most
  if (least >= most) return best
  let smallest = divergence(most)
  const search = (from: number, to: number, step: number) => {
    for (let candidate = from; candidate >= to; candidate -= step) {
      const found = divergence(candidate)
      if (found < smallest || (found === smallest && candidate > best)) [best, smallest] = [candidate, found]
    }
  }
  let step = Math.ceil((most - least) / COARSE_CANDIDATES)
  search(most, least, step)
  while (step > 1) {
    const [from, to] = [Math.min(most, best + step - 1), Math.max(least, best - step + 1)]
    step = Math.ceil(step / REFINEMENT)
    search(from, to, step)
  }
  return best
}
