import type { NodeProto, TensorProto } from 'onnx-buf'
import { float, makeAttribute } from '../onnx/builders.ts'
import { floatAttribute, type Graph } from '../onnx/graph.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'
import { roundHalfToEven } from './affine-parameters.ts'
import { correctedBias } from './bias-correction.ts'
import type { FusableUnit, UnitWeight } from './fusable-units.ts'
import { fullRangeScales, pairSafeScales, reducedRangeScales, sharedScale } from './pair-safe-scale.ts'
import type { QuantizedConstants } from './quantized-constants.ts'
import type { TargetRules } from './target-rules.ts'
import type { WeightLayout } from './weight-layout.ts'

/**
 * Largest |bias / scale| that is stored. int32 goes to 2^31; half of it is left for the products that are added to the bias
 * (each below 2^15, so there is room for 32,000 of them).
 */
const BIAS_LIMIT = 2 ** 30

/** How weights are quantized. */
export interface WeightOptions {
  readonly perChannel: boolean
  readonly rules: TargetRules
}

const SCALES = { 'pair-safe': pairSafeScales, 'full-range': fullRangeScales, 'reduced-range': reducedRangeScales } as const

/** Symmetric int8 scales of a unit's weights: one for each channel, or a single one. */
export function weightScales(weights: Float32Array, { layout, depthwise }: UnitWeight, { perChannel, rules }: WeightOptions): Float32Array {
  const scalesOf = depthwise ? fullRangeScales : SCALES[rules.weightScale]
  const scales = scalesOf(weights, layout)
  return perChannel ? scales : sharedScale(scales)
}

/**
 * clip(round(w / s[c])) to −127…127, ties to even, elements in the order of the file.
 * @param scales one for each channel, or a single one
 */
export function quantizeWeights(weights: Float32Array, layout: WeightLayout, scales: Float32Array): Int8Array {
  const quantized = new Int8Array(weights.length)
  for (let channel = 0; channel < layout.channels; channel++) {
    const scale = scales[scales.length === 1 ? 0 : channel]!
    const start = channel * layout.channelStride
    for (let k = 0; k < layout.order.length; k++) {
      const index = start + layout.order[k]!
      quantized[index] = Math.max(-127, Math.min(127, roundHalfToEven(Math.fround(weights[index]! / scale))))
    }
  }
  return quantized
}

/**
 * Weight scales with which every bias fits int32 at scale s_x·s_w: a channel of tiny weights and a large bias gets a larger
 * scale, its weights hardly matter next to the bias. (ONNX Runtime's `adjust_weight_scale_for_int32_bias`, with more room.)
 */
export function scalesThatHoldBias(scales: Float32Array, bias: Float32Array, inputScale: number): Float32Array {
  const needed = Float32Array.from(bias, (value) => Math.abs(value) / (BIAS_LIMIT * inputScale))
  if (scales.length === 1) return Float32Array.of(Math.max(scales[0]!, sharedScale(needed)[0]!))
  return scales.map((scale, channel) => Math.max(scale, needed[channel]!))
}

/** int32 bias values round(b / scale), scale = s_x·s_w[c], clipped to the type. */
export function quantizeBias(bias: Float32Array, scales: Float32Array): Int32Array {
  return Int32Array.from(bias, (value, channel) => {
    const rounded = roundHalfToEven(value / scales[scales.length === 1 ? 0 : channel]!)
    return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, rounded))
  })
}

/** What rounding did to one tensor of weights. */
export interface WeightRounding {
  readonly node: string
  readonly op: string
  readonly tensor: string
  /** Signal to noise of the rounded weights; `null` when nothing was lost. */
  readonly sqnrDb: number | null
}

/**
 * Replaces a unit's weights by int8 and its bias by int32, each read through a DequantizeLinear (per-channel where the
 * options say so). Factors of Gemm (alpha, beta) are multiplied into weights and bias.
 *
 * @param input scale of the activation that the node reads, and the mean of each of its channels when the bias is to be corrected
 * @param constants where the quantized tensors go
 */
export function quantizeUnitWeights(
  graph: Graph,
  { node, weight, biasSlot }: FusableUnit & { readonly weight: UnitWeight },
  input: { readonly scale: number; readonly means: Float64Array | undefined },
  options: WeightOptions,
  constants: QuantizedConstants,
): WeightRounding {
  const { slot, layout } = weight
  const weightName = node.input[slot]!
  const tensor = graph.constant(weightName)!
  const values = scaled(floatValues(tensor), takeFactor(node, 'alpha'))
  const bias =
    biasSlot === undefined ? undefined : biasRow(graph.constant(node.input[biasSlot]!)!, layout.channels, takeFactor(node, 'beta'))
  const ownScales = weightScales(values, weight, options)
  const asInt32 = options.rules.bias === 'int32'
  const scales = asInt32 && bias ? scalesThatHoldBias(ownScales, bias, input.scale) : ownScales
  const quantized = quantizeWeights(values, layout, scales)
  const dims = tensor.dims.map(Number)
  node.input[slot] = constants.add(weightName, { values: quantized, dims, scales, axis: layout.axis, zeroPoint: 0 })
  const corrected =
    input.means && node.opType !== 'MatMul'
      ? correctedBias(bias, { weights: values, quantized, scales, weight, means: input.means, node })
      : bias
  if (corrected) {
    const name = (biasSlot === undefined ? '' : node.input[biasSlot]) || `${weightName}_bias`
    const storage = { graph, constants, name }
    node.input[BIAS_SLOT] = asInt32 ? storeInt32(corrected, scales, input.scale, storage) : storeFloat(corrected, storage)
  }
  return { node: node.name, op: node.opType, tensor: weightName, sqnrDb: signalToNoise(values, quantized, layout, scales) }
}

/** Conv and Gemm take their bias third. */
const BIAS_SLOT = 2

interface BiasStorage {
  readonly graph: Graph
  readonly constants: QuantizedConstants
  readonly name: string
}

function storeInt32(bias: Float32Array, weightScale: Float32Array, inputScale: number, { constants, name }: BiasStorage): string {
  const scales = weightScale.map((scale) => inputScale * scale)
  return constants.add(name, { values: quantizeBias(bias, scales), dims: [bias.length], scales, axis: 0 })
}

function storeFloat(bias: Float32Array, { graph, name }: BiasStorage): string {
  const row = graph.freshName(`${name}_row`)
  graph.addInitializer(makeTensor(row, 'float32', [bias.length], bias))
  return row
}

/** 20·log10(‖w‖ / ‖w − ŵ‖), `null` when nothing was lost; ŵ = scale × integer is never held as a whole. */
function signalToNoise(values: Float32Array, quantized: Int8Array, layout: WeightLayout, scales: Float32Array): number | null {
  let [signal, noise] = [0, 0]
  for (let channel = 0; channel < layout.channels; channel++) {
    const scale = scales[scales.length === 1 ? 0 : channel]!
    const start = channel * layout.channelStride
    for (let k = 0; k < layout.order.length; k++) {
      const index = start + layout.order[k]!
      const value = values[index]!
      const error = value - Math.fround(scale * quantized[index]!)
      signal += value * value
      noise += error * error
    }
  }
  return noise === 0 ? null : 10 * Math.log10(signal / noise)
}

/** A bias as one value for each of `channels`, times `factor`. */
export function biasRow(tensor: TensorProto, channels: number, factor: number): Float32Array {
  const values = scaled(floatValues(tensor), factor)
  return values.length === channels ? values : new Float32Array(channels).fill(values[0]!)
}

/** Values times a factor; the values themselves where it is 1. */
export function scaled(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => value * factor)
}

/** Gemm's factor of that name, which is 1 afterwards; 1 for other operators. */
function takeFactor(node: NodeProto, name: 'alpha' | 'beta'): number {
  if (node.opType !== 'Gemm') return 1
  const factor = floatAttribute(node, name, 1)
  node.attribute = [...node.attribute.filter((entry) => entry.name !== name), makeAttribute(name, float(1))]
  return factor
}
