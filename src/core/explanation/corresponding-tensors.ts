import { type NodeProto, TensorProto_DataType as T } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { floatValues, integerValues } from '../onnx/tensor-values.ts'
import type { TensorFactsByName } from '../quantization/tensor-facts.ts'

/** A model as it is compared: its graph, and what is known of its tensors. */
export interface ComparedModel {
  readonly graph: Graph
  readonly facts: TensorFactsByName
}

/** Scale, zero point and limits that a build passes an activation through. */
export interface ActivationGrid {
  readonly scale: number
  readonly zeroPoint: number
  /** Smallest and largest stored integer. */
  readonly lowest: number
  readonly highest: number
}

/** A tensor of a baseline and the one of a build that stands for it. */
export interface CorrespondingTensor {
  /** Its name in the baseline. */
  readonly tensor: string
  /** The node of the baseline that writes it; `undefined` for an input. */
  readonly writer: NodeProto | undefined
  /** In the build: what its readers see, behind the Q/DQ pair where all read through one. */
  readonly buildTensor: string
  /** Type of the build's: `float32`, `float16` or `float64`. */
  readonly type: string
  /** The pair's numbers; `undefined` without a pair, or one with a scale for each channel. */
  readonly grid: ActivationGrid | undefined
}

const LIMITS: ReadonlyMap<number, readonly [lowest: number, highest: number]> = new Map([
  [T.UINT8, [0, 255]],
  [T.INT8, [-128, 127]],
  [T.UINT16, [0, 65_535]],
  [T.INT16, [-32_768, 32_767]],
])

/**
 * Floating point activations that a baseline and a build of it have in common: tensors of the main graphs with the same name. Names
 * survive fusions, quantization (the DequantizeLinear gives the old name, or stands behind it) and changes of type; what only one
 * graph has (a convolution's result before its ReLU, where the build runs both as one) is left out. Inputs are taken in where the
 * build quantizes them.
 *
 * @returns inputs first, then in graph order of the baseline
 */
export function correspondingTensors(baseline: ComparedModel, build: ComparedModel): CorrespondingTensor[] {
  const found: CorrespondingTensor[] = []
  const add = (tensor: string, writer: NodeProto | undefined, pair: NodeProto | undefined): void => {
    const buildTensor = pair?.output[0] ?? tensor
    const type = floatType(build, buildTensor)
    if (type === undefined || floatType(baseline, tensor) === undefined) return
    found.push({ tensor, writer, buildTensor, type, grid: pair && gridOf(build.graph, pair) })
  }
  for (const { name } of baseline.graph.inputs) {
    const pair = build.graph.isGraphInput(name) ? behindPair(build.graph, name) : undefined
    if (pair) add(name, undefined, pair)
  }
  for (const writer of baseline.graph.nodes) {
    for (const tensor of writer.output) {
      const built = tensor === '' || writer.opType === 'Constant' ? undefined : build.graph.producer(tensor)
      if (!built || built.opType === 'Constant') continue
      add(tensor, writer, built.opType === 'DequantizeLinear' ? built : behindPair(build.graph, tensor))
    }
  }
  return found
}

function floatType({ facts }: ComparedModel, tensor: string): string | undefined {
  const type = facts.get(tensor)?.type
  return type === 'float32' || type === 'float16' || type === 'float64' ? type : undefined
}

/** The DequantizeLinear through which everybody reads a tensor. */
function behindPair(graph: Graph, tensor: string): NodeProto | undefined {
  const quantizers = graph.consumers(tensor)
  const [quantizer] = quantizers
  if (quantizers.length !== 1 || quantizer?.opType !== 'QuantizeLinear' || graph.isGraphOutput(tensor)) return undefined
  return graph.consumers(quantizer.output[0] ?? '').find(({ opType }) => opType === 'DequantizeLinear')
}

/** The grid of a QuantizeLinear or DequantizeLinear; `undefined` with a scale for each channel, or one that is computed. */
export function gridOf(graph: Graph, { input }: NodeProto): ActivationGrid | undefined {
  const scale = graph.constant(input[1] ?? '')
  const zeroPoint = graph.constant(input[2] ?? '')
  // Without a zero point it is 0 of type uint8 (ONNX, QuantizeLinear).
  const limits = LIMITS.get(zeroPoint?.dataType ?? T.UINT8)
  const isFloat = scale?.dataType === T.FLOAT || scale?.dataType === T.FLOAT16
  if (!scale || !isFloat || !limits || ((input[2] ?? '') !== '' && !zeroPoint)) return undefined
  const scales = floatValues(scale)
  const zeroPoints = zeroPoint ? integerValues(zeroPoint) : [0]
  if (scales.length !== 1 || zeroPoints.length !== 1) return undefined
  return { scale: scales[0]!, zeroPoint: zeroPoints[0]!, lowest: limits[0], highest: limits[1] }
}
