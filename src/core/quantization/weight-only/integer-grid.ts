import { floatToHalf, halfToFloat } from '../../float16.ts'

/** The integers weights are rounded to, and what scales may be. real = scale × (quantized − zeroPoint) */
export interface IntegerGrid {
  readonly type: 'int8' | 'int4' | 'uint4'
  readonly min: number
  readonly max: number
  /** `uint4` has a zero point in each group, the others none. */
  readonly zeroPoints: boolean
  /**
   * A negative scale lets the weight of largest magnitude be −8 whatever its sign, which int4 gains half a bit from. ONNX
   * Runtime takes it, TensorRT does not.
   */
  readonly negativeScales: boolean
  /** Scales are stored as float16, as the weights were. */
  readonly halfScales: boolean
}

/** Grids of the weight-only recipes. int8 leaves −128 out, so that every weight has its negative. */
export const INTEGER_GRIDS = {
  int8: { type: 'int8', min: -127, max: 127, zeroPoints: false, negativeScales: false, halfScales: false },
  int4: { type: 'int4', min: -8, max: 7, zeroPoints: false, negativeScales: true, halfScales: false },
  uint4: { type: 'uint4', min: 0, max: 15, zeroPoints: true, negativeScales: false, halfScales: false },
} as const satisfies Record<string, IntegerGrid>

/** Scale and zero point of weights that share them. */
export interface GroupScale {
  readonly scale: number
  readonly zeroPoint: number
}

/** Smallest positive normal values of the types that scales are stored in: below them bits are lost. */
const FLOAT32_TINY = 2 ** -126
const HALF_TINY_NORMAL = 2 ** -14
/** The search narrows the range down to this share of it, in so many steps. At four bits the best lies between 0.7 and 1. */
const SMALLEST_SHARE = 0.5
const SEARCH_STEPS = 25
/** Adding and taking away 1.5·2⁵² leaves a float64 no room for a fraction: the processor itself rounds it, half to even. */
const ROUNDING = 1.5 * 2 ** 52

/** The integer nearest to `value`, half to even, within the grid. */
export function nearestInteger(value: number, { scale, zeroPoint }: GroupScale, { min, max }: IntegerGrid): number {
  const rounded = value / scale + ROUNDING - ROUNDING + zeroPoint
  return rounded < min ? min : rounded > max ? max : rounded
}

/**
 * Scale and zero point of a group of weights.
 *
 * int8: largest |w| / 127. int4: the weight of largest magnitude, sign included, / −8. uint4: (max − min) / 15 over a range that
 * holds zero, zero point round(−min / scale). (ONNX Runtime, `MlasQDQQuantizeBlockwise`; the golden test compares.)
 * With `search`, narrower ranges are tried, and the one with the smallest sum of importance × error² is taken: clipping a few
 * large weights can cost less than rounding all others coarsely. (The grid search of GPTQ's reference implementation.)
 *
 * Worked example: int4, weights −1, 3.5, 0.6: scale 3.5 / −8 = −0.4375, integers 2, −8, −1.
 *
 * @param weights the group is `count` values from `offset` on
 * @param search importance of each column, of which the group has those from `firstColumn` on; all alike when left out
 */
export function groupScale(
  weights: Float64Array,
  offset: number,
  count: number,
  grid: IntegerGrid,
  search: { readonly importance?: Float64Array | undefined; readonly firstColumn: number } | undefined,
): GroupScale {
  let [low, high] = [0, 0]
  for (let index = offset; index < offset + count; index++) {
    const weight = weights[index]!
    if (weight < low) low = weight
    if (weight > high) high = weight
  }
  const widest = scaleFor(low, high, 1, false, grid)
  if (!search) return widest
  let best = widest
  let smallest = Number.POSITIVE_INFINITY
  for (const flipped of grid.negativeScales ? [false, true] : [false]) {
    for (let step = 0; step <= SEARCH_STEPS; step++) {
      const candidate = scaleFor(low, high, 1 - ((1 - SMALLEST_SHARE) * step) / SEARCH_STEPS, flipped, grid)
      const error = roundingError(weights, offset, count, candidate, grid, search, smallest)
      if (error < smallest) [best, smallest] = [candidate, error]
    }
  }
  return best
}

/** @param flipped the scale of the other sign: the largest weight becomes 7 instead of −8 */
function scaleFor(low: number, high: number, share: number, flipped: boolean, grid: IntegerGrid): GroupScale {
  if (grid.zeroPoints) {
    const scale = storable((Math.fround(high - low) * share) / (grid.max - grid.min), grid)
    const zeroPoint = (-low * share) / scale + ROUNDING - ROUNDING
    return { scale, zeroPoint: Math.max(grid.min, Math.min(grid.max, zeroPoint)) }
  }
  const largest = high > -low ? high : low
  if (!grid.negativeScales) return { scale: storable((Math.abs(largest) * share) / grid.max, grid), zeroPoint: 0 }
  return { scale: storable((largest * share) / (flipped ? grid.max : grid.min), grid), zeroPoint: 0 }
}

/** The scale as it is stored; 1 for a group without extent, whose weights are all zero (or too small to matter). */
function storable(scale: number, { halfScales }: IntegerGrid): number {
  const stored = halfScales ? halfToFloat(floatToHalf(scale)) : Math.fround(scale)
  return Math.abs(stored) < (halfScales ? HALF_TINY_NORMAL : FLOAT32_TINY) ? 1 : stored
}

/** Σ importance · (w − ŵ)²; given up once it is no longer below `limit`. */
function roundingError(
  weights: Float64Array,
  offset: number,
  count: number,
  { scale, zeroPoint }: GroupScale,
  { min, max }: IntegerGrid,
  { importance, firstColumn }: { readonly importance?: Float64Array | undefined; readonly firstColumn: number },
  limit: number,
): number {
  let sum = 0
  const inverse = 1 / scale
  for (let index = 0; index < count && sum < limit; index++) {
    const weight = weights[offset + index]!
    const rounded = weight * inverse + ROUNDING - ROUNDING + zeroPoint
    const error = weight - scale * ((rounded < min ? min : rounded > max ? max : rounded) - zeroPoint)
    sum += (importance ? importance[firstColumn + index]! : 1) * error * error
  }
  return sum
}
