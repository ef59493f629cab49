import { type AffineParameters, integerLimits, type QuantizedType, roundHalfToEven, type ValueRange } from './affine-parameters.ts'

/** 8-bit values: Uint8Array for uint8, Int8Array for int8. */
export type QuantizedValues = Uint8Array | Int8Array

/**
 * clip(round(value / scale) + zeroPoint), ties to even, as ONNX QuantizeLinear defines it (float32 division).
 * Worked example: scale 0.5, zeroPoint 10, uint8: 1.25 → round(2.5) + 10 = 12.
 */
export function quantize(values: Float32Array, { scale, zeroPoint }: AffineParameters, type: QuantizedType): QuantizedValues {
  const { min, max } = integerLimits(type, false)
  const quantized = type === 'uint8' ? new Uint8Array(values.length) : new Int8Array(values.length)
  for (let index = 0; index < values.length; index++) {
    const rounded = roundHalfToEven(Math.fround((values[index] as number) / scale)) + zeroPoint
    quantized[index] = Math.max(min, Math.min(max, rounded))
  }
  return quantized
}

/** scale × (quantized − zeroPoint) in float32. */
export function dequantize(quantized: QuantizedValues, { scale, zeroPoint }: AffineParameters): Float32Array {
  return Float32Array.from(quantized, (value) => scale * (value - zeroPoint))
}

/** Smallest and largest of `values`, NaN left out; `undefined` when there is no number. */
export function valueRange(values: Float32Array): ValueRange | undefined {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (value < min) min = value
    if (value > max) max = value
  }
  return min <= max ? { min, max } : undefined
}
