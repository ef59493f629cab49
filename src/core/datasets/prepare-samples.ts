import { floatToHalf } from '../float16.ts'
import type { TensorValues } from '../inference-runtime.ts'
import { toFloats, toIntegers } from './convert.ts'
import { type Elements, isFloat, type NumericType, overlay } from './numeric-array.ts'
import type { Arithmetic, ChannelMove, SamplePlan } from './sample-plan.ts'

/** More channels than this make tables larger than the samples they are looked up for. */
const TABLE_CHANNELS = 16
/** From here on binary16 rounds to infinity (IEEE 754-2019 §4.3.1). */
const HALF_OVERFLOW = 65520

/** Called with the index of a prepared value that its type cannot hold. */
export type RefuseValue = (index: number) => void

/** Turns the elements of samples into values for a model input. */
export type PrepareElements = (elements: Elements, count: number, refuse: RefuseValue) => TensorValues

/**
 * Makes the function that prepares samples stored in an element type, following a plan. Bytes are looked up in a table that
 * {@link prepareValues} computes, so every way gives the same bits.
 *
 * @param type of the elements; the returned function may use them up
 */
export function preparerFor(plan: SamplePlan, type: NumericType): PrepareElements {
  const { arithmetic, target } = plan
  if (arithmetic && (type === 'uint8' || type === 'int8') && arithmetic.means.length <= TABLE_CHANNELS)
    return tablePreparer(plan, arithmetic, type)
  return (elements, count, refuse) => {
    if (arithmetic) return prepareValues(plan, toFloats(elements, type, worksInDouble(target)), count, refuse)
    return convertPlain(moved(elements, plan.move, count), type, target as NumericType)
  }
}

/**
 * Prepares values that are already in the type a plan computes in: float64 for float64 and whole numbers, else float32; each operation
 * in float64, rounded once when it is stored. Worked example: 51, scale 1/255, mean 0.5, std 0.25 → (0.2 − 0.5) ÷ 0.25 = −1.2.
 * Whole numbers are rounded half to even and saturated, as QuantizeLinear does.
 *
 * @param values of `count` samples in stored order; they may be used up
 * @returns values in the order and type of the model input
 */
export function prepareValues(plan: SamplePlan, values: Float32Array | Float64Array, count: number, refuse: RefuseValue): TensorValues {
  const { arithmetic, target } = plan
  const work = moved(values, plan.move, count)
  if (arithmetic) compute(work, arithmetic)
  requireHoldable(work, target, refuse)
  if (target === 'float16') return Uint16Array.from(work, floatToHalf)
  return isFloat(target) ? work : rounded(work, target as NumericType)
}

/** Whether a plan for that target computes in float64. */
export function worksInDouble(target: string): boolean {
  return target !== 'float32' && target !== 'float16'
}

/** Samples with their channels where and in which order the model takes them; the same array where nothing moves. */
export function moved<A extends TensorValues>(values: A, move: ChannelMove | undefined, count: number): A {
  if (!move) return values
  const { channels, pixels, from, to, reversed } = move
  // Elements of all types are moved alike; the cast only spares a copy of this loop for each of them.
  const source = values as unknown as Float32Array
  const out = new (values.constructor as new (length: number) => Float32Array)(source.length)
  const [fromChannel, fromPixel] = from === 'channels-first' ? [pixels, 1] : [1, channels]
  const [toChannel, toPixel] = to === 'channels-first' ? [pixels, 1] : [1, channels]
  for (let base = 0, sample = 0; sample < count; sample++, base += channels * pixels) {
    for (let channel = 0; channel < channels; channel++) {
      let read = base + (reversed ? channels - 1 - channel : channel) * fromChannel
      let write = base + channel * toChannel
      for (let pixel = 0; pixel < pixels; pixel++, read += fromPixel, write += toPixel) out[write] = source[read] as number
    }
  }
  return out as unknown as A
}

function compute(values: Float32Array | Float64Array, { scale, means, stds, inner }: Arithmetic): void {
  const channels = means.length
  if (inner === 1) {
    for (let index = 0, channel = 0; index < values.length; index++) {
      values[index] = ((values[index] as number) * scale - (means[channel] as number)) / (stds[channel] as number)
      if (++channel === channels) channel = 0
    }
    return
  }
  for (let from = 0, channel = 0; from < values.length; from += inner, channel = (channel + 1) % channels) {
    const [mean, std, to] = [means[channel] as number, stds[channel] as number, Math.min(from + inner, values.length)]
    for (let index = from; index < to; index++) values[index] = ((values[index] as number) * scale - mean) / std
  }
}

/** Scaling may carry a value beyond what the type can hold, to infinity; the model must never see that. */
function requireHoldable(values: Float32Array | Float64Array, target: string, refuse: RefuseValue): void {
  const tooLarge = target === 'float16' ? HALF_OVERFLOW : Number.POSITIVE_INFINITY
  for (let index = 0; index < values.length; index++) if (!(Math.abs(values[index] as number) < tooLarge)) refuse(index)
}

function tablePreparer(plan: SamplePlan, arithmetic: Arithmetic, type: 'uint8' | 'int8'): PrepareElements {
  const channels = arithmetic.means.length
  const bytes = Uint8Array.from({ length: 256 * channels }, (_, index) => index & 0xff)
  const stored = toFloats(overlay(type, bytes.buffer), type, worksInDouble(plan.target))
  let refused = false
  const ofBytes = { ...plan, move: undefined, arithmetic: { ...arithmetic, inner: 256 } }
  const values = prepareValues(ofBytes, stored, channels, () => {
    refused = true
  })
  // Some byte has no value: found out which one of a sample it is, and whether it occurs.
  if (refused) return (elements, count, refuse) => prepareValues(plan, toFloats(elements, type, worksInDouble(plan.target)), count, refuse)
  const table = values as Float32Array
  return (elements, count) => {
    const input = moved(elements as Uint8Array, plan.move, count)
    const codes = new Uint8Array(input.buffer, input.byteOffset, input.length)
    return lookedUp(codes, table, channels, arithmetic.inner)
  }
}

function lookedUp(codes: Uint8Array, table: Float32Array, channels: number, inner: number): TensorValues {
  const out = new (table.constructor as new (length: number) => Float32Array)(codes.length)
  if (channels === 1) {
    for (let index = 0; index < codes.length; index++) out[index] = table[codes[index] as number] as number
  } else if (inner === 1) {
    for (let index = 0, row = 0; index < codes.length; index++) {
      out[index] = table[row + (codes[index] as number)] as number
      row = row === (channels - 1) * 256 ? 0 : row + 256
    }
  } else {
    for (let from = 0, channel = 0; from < codes.length; from += inner, channel = (channel + 1) % channels) {
      for (let index = from; index < from + inner; index++) out[index] = table[channel * 256 + (codes[index] as number)] as number
    }
  }
  return out
}

/** Elements in another type, their values unchanged. */
function convertPlain(elements: Elements, type: NumericType, target: NumericType): TensorValues {
  if (type === target) return elements
  if (!isFloat(target)) return toIntegers(elements, target)
  const values = toFloats(elements, type, target === 'float64')
  return target === 'float16' ? Uint16Array.from(values, floatToHalf) : values
}

const integerLimits: Readonly<Partial<Record<NumericType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  // The largest double below 2^63.
  int64: [-(2 ** 63), 2 ** 63 - 1024],
}

/** Nearest whole numbers, ties to even, saturated to the type's range. */
function rounded(values: Float64Array | Float32Array, target: NumericType): TensorValues {
  const [low, high] = integerLimits[target] ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  const whole = values.map((value) => {
    const floor = Math.floor(value)
    const rest = value - floor
    const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
    return Math.min(high, Math.max(low, floor + (up ? 1 : 0)))
  })
  return toIntegers(whole, target)
}
