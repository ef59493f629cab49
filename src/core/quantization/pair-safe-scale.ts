import type { WeightLayout } from './weight-layout.ts'

/** Largest integer of symmetric int8. */
const INT8_MAX = 127
/** Largest weight of the reduced range: 2 × 255 × 64 fits 16 bits. */
const REDUCED_MAX = 64

/**
 * Half of what two neighbouring weights may add up to. x64 processors without VNNI multiply with `vpmaddubsw`: two products
 * of an unsigned activation (up to 255) and a weight are added in 16 bits, saturating at 32767 = 255 × 128.5. Quantized with
 * scale s ≥ |a + b| / 127.5 the two integers add up to at most 127.5 plus twice half a rounding step: 128. 255 × 128 = 32640 fits.
 */
const PAIR_LIMIT = 127.5

/**
 * The smallest symmetric int8 scale of each output channel with which no pair of products can saturate:
 * s = max(max |w| / 127, max over pairs |w₂ₚ + w₂ₚ₊₁| / 127.5), pairs taken in the kernel's order of addition.
 * Worked example: channel [1, 1, 0.5, −1]: max(1/127, 2/127.5) = 0.0156863 (full range would be 0.0078740).
 *
 * @returns [channels] float32 scales; a channel of zeros gets 1
 */
export function pairSafeScales(weights: Float32Array, layout: WeightLayout): Float32Array {
  return channelScales(weights, layout, (channel) =>
    Math.max(largest(weights, layout, channel) / INT8_MAX, largestPair(weights, layout, channel) / PAIR_LIMIT),
  )
}

/** The smallest symmetric int8 scale of each output channel, max |w| / 127; a channel of zeros gets 1. */
export function fullRangeScales(weights: Float32Array, layout: WeightLayout): Float32Array {
  return channelScales(weights, layout, (channel) => largest(weights, layout, channel) / INT8_MAX)
}

/** max |w| / 64 of each output channel: weights take 7 bits, so that no pair can saturate (ONNX Runtime's `reduce_range`). */
export function reducedRangeScales(weights: Float32Array, layout: WeightLayout): Float32Array {
  return channelScales(weights, layout, (channel) => largest(weights, layout, channel) / REDUCED_MAX)
}

/** One scale for all channels: the largest. */
export function sharedScale(scales: Float32Array): Float32Array {
  return Float32Array.of(scales.reduce((most, scale) => Math.max(most, scale), 0))
}

function channelScales(weights: Float32Array, layout: WeightLayout, scaleOf: (channel: number) => number): Float32Array {
  if (weights.length !== layout.channels * layout.order.length) throw new Error('the layout does not fit the weights')
  return Float32Array.from({ length: layout.channels }, (_, channel) => usable(scaleOf(channel)))
}

/** Below the smallest normal float32 a channel is as good as zero. */
function usable(scale: number): number {
  return scale < 2 ** -126 ? 1 : scale
}

function largest(weights: Float32Array, { channelStride, order }: WeightLayout, channel: number): number {
  let most = 0
  for (let k = 0; k < order.length; k++) most = Math.max(most, Math.abs(weights[channel * channelStride + order[k]!]!))
  return most
}

function largestPair(weights: Float32Array, { channelStride, order }: WeightLayout, channel: number): number {
  let most = 0
  const start = channel * channelStride
  for (let k = 0; k + 1 < order.length; k += 2)
    most = Math.max(most, Math.abs(weights[start + order[k]!]! + weights[start + order[k + 1]!]!))
  return most
}
