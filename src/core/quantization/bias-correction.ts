import type { NodeProto } from 'onnx-buf'
import { intAttribute } from '../onnx/graph.ts'
import type { UnitWeight } from './fusable-units.ts'

/** Weights before and after rounding, and what they are multiplied with on average. */
export interface RoundedWeights {
  readonly node: NodeProto
  readonly weight: UnitWeight
  /** As the node multiplies them, elements in the order of the file. */
  readonly weights: Float32Array
  readonly quantized: Int8Array
  /** One for each output channel, or a single one. */
  readonly scales: Float32Array
  /** Mean of each channel of the activation that the node reads, over the calibration samples. */
  readonly means: Float64Array
}

/**
 * The bias that makes up for what rounding the weights does to the mean of each output channel:
 * b'[c] = b[c] + Σₖ (w[c,k] − ŵ[c,k]) · E[x[k]]. Strictly local: E[x] is of the float model, so that the order of layers does
 * not matter. Padding is taken for values of the mean. (Nagel et al. 2019, "Data-Free Quantization", section 4.2, with
 * measured means.)
 *
 * Worked example: w = [0.30, 0.30], ŵ = [0.25, 0.25], E[x] = [1, 2], b = 0: b' = 0.05 · 1 + 0.05 · 2 = 0.15.
 *
 * @param bias [channels], `undefined` for none
 * @returns [channels]; `bias` itself when the means do not fit the weights (a dimension was not what it seemed)
 */
export function correctedBias(bias: Float32Array | undefined, rounded: RoundedWeights): Float32Array | undefined {
  const { weights, quantized, scales, weight, means } = rounded
  const { channels, channelStride, order } = weight.layout
  const inputOf = inputChannels(rounded)
  if (!inputOf) return bias
  const corrected = new Float32Array(channels)
  let changed = false
  for (let channel = 0; channel < channels; channel++) {
    const scale = scales[scales.length === 1 ? 0 : channel]!
    let error = 0
    for (let k = 0; k < order.length; k++) {
      const index = channel * channelStride + order[k]!
      error += (weights[index]! - Math.fround(scale * quantized[index]!)) * means[inputOf(channel, k)]!
    }
    if (!Number.isFinite(error)) return bias
    corrected[channel] = (bias?.[channel] ?? 0) + error
    changed ||= corrected[channel] !== (bias?.[channel] ?? 0)
  }
  return changed ? corrected : bias
}

/** Which channel of the input the weight number `k` (in the layout's order) of an output channel is multiplied with. */
function inputChannels({ node, weight, means }: RoundedWeights): ((channel: number, k: number) => number) | undefined {
  const { channels, order } = weight.layout
  if (node.opType !== 'Conv') return means.length === order.length ? (_, k) => k : undefined
  const groups = intAttribute(node, 'group', 1)
  const perGroup = means.length / groups
  // A Conv's order runs over input channels within a kernel position.
  if (!Number.isInteger(perGroup) || perGroup === 0 || order.length % perGroup !== 0) return undefined
  return (channel, k) => Math.floor((channel * groups) / channels) * perGroup + (k % perGroup)
}
