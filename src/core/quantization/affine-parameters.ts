/** Smallest and largest value a tensor takes. */
export interface ValueRange {
  readonly min: number
  readonly max: number
}

/** 8-bit types that values are quantized to. */
export type QuantizedType = 'uint8' | 'int8'

/** real = scale × (quantized − zeroPoint) */
export interface AffineParameters {
  /** A float32 value, as it is stored. */
  readonly scale: number
  readonly zeroPoint: number
}

/** How {@link affineParameters} lays the quantized values over a range. */
export interface AffineOptions {
  /** Same distance to both sides of zero; the zero point is then 0 (int8) or 128 (uint8). */
  readonly symmetric?: boolean
  /** A range narrower than this is widened upwards. */
  readonly minimumRange?: number
}

/** Smallest positive normal float32: below it a scale would lose bits or be zero. */
const FLOAT32_TINY = 2 ** -126

/**
 * The integers of a type. Symmetric int8 leaves −128 out, so that every value has its negative
 * (ONNX Runtime, `quant_utils.get_qmin_qmax_for_qType`).
 */
export function integerLimits(type: QuantizedType, symmetric: boolean): ValueRange {
  if (type === 'uint8') return { min: 0, max: 255 }
  return { min: symmetric ? -127 : -128, max: 127 }
}

/**
 * Scale and zero point for a range of real values. Zero is always made part of the range, because padding and ReLU need
 * an exact zero.
 *
 * asymmetric: scale = (max − min) / (qmax − qmin), zeroPoint = round(qmin − min / scale)
 * symmetric: scale = 2·max(|min|, |max|) / (qmax − qmin), zeroPoint = round((qmin + qmax) / 2)
 *
 * A range without extent gets scale 1 and the zero point of its type (asymmetric: qmin, so that an activation that was
 * zero all through calibration still clips negative values away).
 *
 * Rounding is half to even. Worked example: uint8, min −1, max 3: scale 4/255 = 0.0156863, zeroPoint round(63.75) = 64.
 * Source: ONNX Runtime 1.30, `quant_utils.compute_scale_zp`, which the golden test compares with.
 *
 * @throws RangeError when the range is not finite or upside down
 */
export function affineParameters(range: ValueRange, type: QuantizedType, options: AffineOptions = {}): AffineParameters {
  if (!Number.isFinite(range.min) || !Number.isFinite(range.max) || range.min > range.max)
    throw new RangeError(`cannot quantize the range ${range.min} to ${range.max}`)
  const symmetric = options.symmetric ?? false
  const limits = integerLimits(type, symmetric)
  const min = Math.min(range.min, 0)
  const max = Math.max(range.max, 0, min + (options.minimumRange ?? 0))
  const middle = roundHalfToEven((limits.min + limits.max) / 2)
  const extent = symmetric ? 2 * Math.max(-min, max) : Math.fround(max - min)
  const scale = extent / (limits.max - limits.min)
  if (scale < FLOAT32_TINY) return { scale: 1, zeroPoint: symmetric ? middle : limits.min }
  return { scale: Math.fround(scale), zeroPoint: symmetric ? middle : roundHalfToEven(limits.min - min / scale) }
}

/** Nearest integer, ties to the even one: 0.5 → 0, 1.5 → 2, −2.5 → −2. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value)
  // Math.round takes ties upwards; a tie that went to an odd number belongs one lower.
  const even = rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
  return even + 0 // −0 becomes 0
}

/** The range both given ranges lie in. */
export function unionRange(a: ValueRange, b: ValueRange): ValueRange {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}
