import type { GraphProto, ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataType as T } from 'onnx-buf'
import { storedBytes } from './data-types.ts'
import { subgraphs } from './graph.ts'
import { isExternal } from './payload.ts'
import { elementCount, integerValues } from './tensor-values.ts'

/** A tensor of trained values: an initializer, or the value of a Constant node. */
export interface Weight {
  readonly tensor: TensorProto
  readonly elements: number
  /** Bytes its values take in the file. */
  readonly bytes: number
  /** What stands for 0: 0, or the zero point of an 8-bit weight; `undefined` where that is not known. */
  readonly zero: ZeroPoint | undefined
}

interface ZeroPoint {
  /** One for the tensor, or one for each index along `axis`. */
  readonly points: readonly number[]
  readonly axis: number
}

const floats: ReadonlySet<number> = new Set<number>([
  T.FLOAT,
  T.FLOAT16,
  T.BFLOAT16,
  T.DOUBLE,
  T.FLOAT8E4M3FN,
  T.FLOAT8E4M3FNUZ,
  T.FLOAT8E5M2,
  T.FLOAT8E5M2FNUZ,
  T.FLOAT8E8M0,
  T.FLOAT4E2M1,
])
const smallIntegers: ReadonlySet<number> = new Set<number>([T.INT8, T.UINT8, T.INT4, T.UINT4, T.INT2, T.UINT2, T.INT16, T.UINT16])

/** What an operator's input is for, where it is not plain values. */
type Role = 'scale' | 'zero point' | 'bias'

const roles: ReadonlyMap<string, Readonly<Record<number, Role>>> = new Map(
  Object.entries<Readonly<Record<number, Role>>>({
    QuantizeLinear: { 1: 'scale', 2: 'zero point' },
    DequantizeLinear: { 0: 'bias', 1: 'scale', 2: 'zero point' },
    QLinearConv: { 1: 'scale', 2: 'zero point', 4: 'scale', 5: 'zero point', 6: 'scale', 7: 'zero point', 8: 'bias' },
    QLinearMatMul: { 1: 'scale', 2: 'zero point', 4: 'scale', 5: 'zero point', 6: 'scale', 7: 'zero point' },
    QGemm: { 1: 'scale', 2: 'zero point', 4: 'scale', 5: 'zero point', 6: 'bias', 7: 'scale', 8: 'zero point' },
    ConvInteger: { 2: 'zero point', 3: 'zero point' },
    MatMulInteger: { 2: 'zero point', 3: 'zero point' },
    DynamicQuantizeMatMul: { 2: 'scale', 3: 'zero point' },
    MatMulIntegerToFloat: { 2: 'scale', 3: 'scale', 4: 'zero point', 5: 'zero point' },
    MatMulNBits: { 2: 'scale', 3: 'zero point' },
    DynamicQuantizeLSTM: { 8: 'scale', 9: 'zero point', 10: 'scale', 11: 'zero point' },
    QAttention: { 3: 'scale', 4: 'scale', 6: 'zero point', 7: 'zero point' },
    QLinearAdd: { 1: 'scale', 2: 'zero point', 4: 'scale', 5: 'zero point', 6: 'scale', 7: 'zero point' },
    QLinearMul: { 1: 'scale', 2: 'zero point', 4: 'scale', 5: 'zero point', 6: 'scale', 7: 'zero point' },
    QLinearSigmoid: { 1: 'scale', 2: 'zero point', 3: 'scale', 4: 'zero point' },
    QLinearLeakyRelu: { 1: 'scale', 2: 'zero point', 3: 'scale', 4: 'zero point' },
    QLinearGlobalAveragePool: { 1: 'scale', 2: 'zero point', 3: 'scale', 4: 'zero point' },
  }),
)

/** Inputs that hold a quantized weight and the input with its zero point. */
const weightZeroPoints: ReadonlyMap<string, Readonly<Record<number, number>>> = new Map(
  Object.entries<Readonly<Record<number, number>>>({
    DequantizeLinear: { 0: 2 },
    QLinearConv: { 3: 5 },
    QLinearMatMul: { 0: 2, 3: 5 },
    QGemm: { 3: 5 },
    ConvInteger: { 1: 3 },
    MatMulInteger: { 0: 2, 1: 3 },
    DynamicQuantizeMatMul: { 1: 3 },
    MatMulIntegerToFloat: { 1: 5 },
  }),
)

/**
 * Trained values of a model, sub-graphs included, by the name of their tensor: floating point tensors, quantized weights and
 * quantized biases, but no scales, zero points, shapes or indices, so that a model and its quantized build have the same number of parameters.
 * Tensors of one name in different sub-graphs are different weights.
 */
export function findWeights(model: ModelProto): Map<TensorProto, Weight> {
  const weights = new Map<TensorProto, Weight>()
  if (model.graph) collect(model.graph, weights)
  for (const body of model.functions) for (const node of body.node) collectConstant(node, weights)
  return weights
}

function collect(graph: GraphProto, weights: Map<TensorProto, Weight>): void {
  const uses = new Map<string, { node: NodeProto; input: number }[]>()
  for (const node of graph.node) {
    for (const [input, name] of node.input.entries()) {
      if (name === '') continue
      const known = uses.get(name)
      if (known) known.push({ node, input })
      else uses.set(name, [{ node, input }])
    }
  }
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  for (const tensor of graph.initializer) {
    const used = uses.get(tensor.name) ?? []
    if (isWeight(tensor, used)) weights.set(tensor, describe(tensor, used, constants))
  }
  for (const { values } of graph.sparseInitializer)
    if (values && floats.has(values.dataType)) weights.set(values, describe(values, [], constants))
  for (const node of graph.node) {
    collectConstant(node, weights)
    for (const body of subgraphs(node)) collect(body, weights)
  }
}

/** Old exporters write weights as Constant nodes; their scalars are settings, not weights. */
function collectConstant(node: NodeProto, weights: Map<TensorProto, Weight>): void {
  const tensor = node.opType === 'Constant' ? node.attribute.find(({ name }) => name === 'value')?.t : undefined
  if (tensor && floats.has(tensor.dataType) && tensor.dims.length > 0) weights.set(tensor, describe(tensor, [], new Map()))
}

function isWeight(tensor: TensorProto, uses: readonly { node: NodeProto; input: number }[]): boolean {
  const roleOf = ({ node, input }: { node: NodeProto; input: number }) => roles.get(node.opType)?.[input]
  const { dataType } = tensor
  if (floats.has(dataType)) return uses.length === 0 || uses.some((use) => roleOf(use) !== 'scale')
  if (dataType === T.INT32) return uses.some((use) => roleOf(use) === 'bias')
  return smallIntegers.has(dataType) && (uses.length === 0 || uses.some((use) => roleOf(use) !== 'zero point'))
}

function describe(
  tensor: TensorProto,
  uses: readonly { node: NodeProto; input: number }[],
  constants: ReadonlyMap<string, TensorProto>,
): Weight {
  const elements = elementCount(tensor.dims)
  return { tensor, elements, bytes: storedBytes(tensor.dataType, elements) ?? 0, zero: zeroOf(tensor, uses, constants) }
}

function zeroOf(
  tensor: TensorProto,
  uses: readonly { node: NodeProto; input: number }[],
  constants: ReadonlyMap<string, TensorProto>,
): ZeroPoint | undefined {
  const plain = { points: [0], axis: 0 }
  if (floats.has(tensor.dataType)) return plain
  if (tensor.dataType !== T.INT8 && tensor.dataType !== T.UINT8) return undefined
  for (const { node, input } of uses) {
    const at = weightZeroPoints.get(node.opType)?.[input]
    const name = at === undefined ? '' : (node.input[at] ?? '')
    if (name === '') continue
    const points = constants.get(name)
    if (!points || isExternal(points)) return undefined
    const values = integerValues(points)
    if (values.every((value) => value === 0)) return plain
    if (values.length === 1) return { points: values, axis: 0 }
    const axis = channelAxis(node, tensor.dims.length)
    return values.length === Number(tensor.dims[axis]) ? { points: values, axis } : undefined
  }
  return plain
}

/** The axis that per-channel zero points run along. */
function channelAxis(node: NodeProto, rank: number): number {
  if (node.opType === 'QLinearConv' || node.opType === 'ConvInteger') return 0
  if (node.opType !== 'DequantizeLinear') return rank - 1
  const axis = Number(node.attribute.find(({ name }) => name === 'axis')?.i ?? 1n)
  return axis < 0 ? axis + rank : axis
}
