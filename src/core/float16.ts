/**
 * IEEE 754 binary16 conversion, round to nearest even.
 * Source: IEEE 754-2019 §3.4 and §4.3.1; worked values in tests/core/float16.test.ts.
 */
const floatView = new Float32Array(1)
const bitsView = new Uint32Array(floatView.buffer)

/** Largest finite binary16 value. */
export const HALF_MAX = 65504
/** Smallest positive (subnormal) binary16 value, 2^-24. */
export const HALF_TINY = 2 ** -24

/** Bits of the binary16 value nearest to `value` (ties to even); beyond ±65520 it becomes infinity, NaN stays NaN. */
export function floatToHalf(value: number): number {
  floatView[0] = value
  const bits = bitsView[0] as number
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal half: the value counted in units of 2^-24, rounded by the FPU's own rule after scaling.
    const units = Math.abs(floatView[0] as number) * 2 ** 24
    const floor = Math.floor(units)
    const rest = units - floor
    const up = rest > 0.5 || (rest === 0.5 && (floor & 1) === 1)
    return sign | (floor + (up ? 1 : 0))
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** Value of binary16 `bits` as a number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
