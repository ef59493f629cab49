import { type NodeProto, TensorProto_DataType as T, type TensorProto } from 'onnx-buf'
import { type Graph, intAttribute } from '../onnx/graph.ts'
import { integerValues } from '../onnx/tensor-values.ts'

/** Output channels of a layer whose stored weights are coarse. */
export interface CoarseChannels {
  readonly coarse: number
  /** Channels looked at. */
  readonly of: number
  /** Scales the weights have: 1, or one for each channel. */
  readonly scales: number
}

/**
 * Rounding to whole steps makes noise of 1/12 step² (uniform quantization noise). A channel is coarse where its weights, in steps, have a
 * mean square below 100 times that: signal to noise under 20 dB, or a root mean square under 2.9 steps.
 */
const COARSE_SQUARE = 100 / 12
/**
 * Counts the output channels of a Conv, ConvTranspose, Gemm or MatMul whose weights come from 8-bit integers with too few steps.
 * Worked example: weights 1, −2, 1, 2 in steps have the mean square 2.5, signal to noise 10·log10(2.5 · 12) = 14.8 dB: coarse.
 *
 * @param graph of the build, with DequantizeLinear in front of the weights
 * @returns undefined for other nodes and weights
 */
export function coarseChannels(graph: Graph, node: NodeProto | undefined): CoarseChannels | undefined {
  const axis = node && channelAxis(node)
  const dequantizer = node && graph.producer(node.input[1] ?? '')
  if (axis === undefined || dequantizer?.opType !== 'DequantizeLinear') return undefined
  const weight = graph.constant(dequantizer.input[0] ?? '')
  const scale = graph.constant(dequantizer.input[1] ?? '')
  if (!weight || !scale || (weight.dataType !== T.INT8 && weight.dataType !== T.UINT8)) return undefined
  const zeroPoints = graph.constant(dequantizer.input[2] ?? '')
  const scales = scale.dims.reduce((product, dim) => product * Number(dim), 1)
  return countCoarse(weight, axis < 0 ? axis + weight.dims.length : axis, zeroPoints ? integerValues(zeroPoints) : [0], scales)
}

function countCoarse(weight: TensorProto, axis: number, zeroPoints: readonly number[], scales: number): CoarseChannels | undefined {
  const dims = weight.dims.map(Number)
  const channels = dims[axis]
  const count = dims.reduce((product, dim) => product * dim, 1)
  if (channels === undefined || channels === 0) return undefined
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const squares = new Float64Array(channels)
  const values = storedBytes(weight)
  for (let index = 0; index < values.length; index++) {
    const channel = Math.floor(index / inner) % channels
    const steps = values[index]! - (zeroPoints[zeroPoints.length === channels ? channel : 0] ?? 0)
    squares[channel] = squares[channel]! + steps * steps
  }
  const perChannel = count / channels
  return { coarse: squares.filter((sum) => sum / perChannel < COARSE_SQUARE).length, of: channels, scales }
}

/** 8-bit integers without a copy of them, where they are stored as bytes. */
function storedBytes(weight: TensorProto): ArrayLike<number> {
  const { rawData, dataType } = weight
  if (rawData.length === 0) return integerValues(weight)
  const { buffer, byteOffset, length } = rawData
  return dataType === T.INT8 ? new Int8Array(buffer, byteOffset, length) : rawData
}

/** The axis of the second input that output channels lie along. */
function channelAxis(node: NodeProto): number | undefined {
  switch (node.opType) {
    case 'Conv':
      return 0
    case 'ConvTranspose':
      return 1
    case 'Gemm':
      return intAttribute(node, 'transB', 0) === 0 ? 1 : 0
    case 'MatMul':
      return -1
    default:
      return undefined
  }
}
