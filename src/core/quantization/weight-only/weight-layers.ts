import { type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { storedBytes } from '../../onnx/data-types.ts'
import { floatAttribute, type Graph, intAttribute } from '../../onnx/graph.ts'
import { elementCount } from '../../onnx/tensor-values.ts'
import type { SkippedNode } from '../fusable-units.ts'
import { allFinite, isRowBias } from '../unit-matching.ts'

/** A MatMul or Gemm whose second operand is a constant matrix. */
export interface WeightLayer {
  readonly kind: 'matrix'
  /** The main graph, or the sub-graph that holds the node. */
  readonly scope: Graph
  readonly node: NodeProto
  readonly weightName: string
  readonly tensor: TensorProto
  /** K: weights of one output channel. */
  readonly size: number
  /** N */
  readonly channels: number
  /** The tensor is [N, K] (Gemm with transB), not [K, N]. */
  readonly transposed: boolean
  /** Gemm's alpha, which is multiplied into the weights. */
  readonly factor: number
}

/** A Gather that looks rows up in a constant table. */
export interface LookupTable {
  readonly kind: 'table'
  readonly scope: Graph
  readonly node: NodeProto
  readonly weightName: string
  readonly tensor: TensorProto
}

/** What the weight-only recipes can change, in graph order. */
export interface WeightUses {
  readonly layers: readonly WeightLayer[]
  readonly tables: readonly LookupTable[]
  readonly skipped: readonly SkippedNode[]
}

/** Shorter rows hardly gain from 8 bits: each needs a scale of 4 bytes. */
const SHORTEST_ROW = 16

/** Why operators with weights keep them in float. */
const LEFT_IN_FLOAT: Readonly<Record<string, string>> = {
  // Measured: DequantizeLinear in front of Conv 17.6 ms, float32 8.06 ms.
  Conv:
    'ONNX Runtime has no convolution with 8- or 4-bit weights: it would convert them to float again in each inference, which ' +
    'takes longer; int8-static quantizes convolutions',
  ConvTranspose: 'ONNX Runtime has no ConvTranspose with 8- or 4-bit weights',
  Einsum: 'ONNX Runtime has no Einsum with 8- or 4-bit weights',
  GRU: 'ONNX Runtime has no GRU with 8- or 4-bit weights',
  LSTM: 'ONNX Runtime has no LSTM with 8- or 4-bit weights in standard form',
  RNN: 'ONNX Runtime has no RNN with 8- or 4-bit weights',
}

/**
 * Finds weights in the main graph and all sub-graphs. A weight that anything else reads as well stays in float: stored twice it
 * would take more room, not less.
 *
 * @param excluded with the reason for each node that is to be left alone
 * @param form how matrices are stored
 */
export function findWeightUses(
  scopes: readonly Graph[],
  excluded: (node: NodeProto) => string | undefined,
  form: { readonly bits: number; readonly blockSize: number },
): WeightUses {
  const skipped: SkippedNode[] = []
  const found: (WeightLayer | LookupTable)[] = []
  for (const scope of scopes) {
    for (const node of scope.nodes) {
      if (node.domain !== '' && node.domain !== 'ai.onnx') continue
      const use = weightUse(scope, node)
      if (use === undefined) continue
      const reason = typeof use === 'string' ? use : (excluded(node) ?? unfitValues(use.tensor))
      if (typeof use === 'string' || reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason: reason ?? '' })
      else found.push(use)
    }
  }
  const [reads, own] = [countReads(scopes), new Map<TensorProto, number>()]
  for (const { tensor } of found) own.set(tensor, (own.get(tensor) ?? 0) + 1)
  const fit = found.filter(({ tensor, node, kind }) => {
    const users = own.get(tensor)!
    const reason =
      users !== reads.get(tensor)
        ? 'another operator that stays in float reads its weights, too'
        : kind === 'matrix' && users * bytesEach(form) >= (storedBytes(tensor.dataType, 1) ?? 0)
          ? `${users} nodes share its weights, and each would need a copy: together they would take more room`
          : undefined
    if (reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason })
    return reason === undefined
  })
  return {
    layers: fit.filter((use) => use.kind === 'matrix'),
    tables: fit.filter((use) => use.kind === 'table'),
    skipped,
  }
}

/** Bytes of one weight with its part of a scale. */
function bytesEach({ bits, blockSize }: { readonly bits: number; readonly blockSize: number }): number {
  return bits / 8 + (blockSize === 0 ? 0 : 4 / blockSize)
}

/** How a node uses a constant, why it cannot be changed, or `undefined` for a node without weights. */
function weightUse(scope: Graph, node: NodeProto): WeightLayer | LookupTable | string | undefined {
  const { opType } = node
  if (opType === 'Gather') return tableUse(scope, node)
  if (opType !== 'MatMul' && opType !== 'Gemm')
    return opType in LEFT_IN_FLOAT && hasWeights(scope, node) ? LEFT_IN_FLOAT[opType] : undefined
  const [activation = '', weightName = ''] = node.input
  const tensor = scope.constant(weightName)
  if (!tensor) {
    const first = scope.constant(activation)
    return first && first.dims.length > 1
      ? 'its weights are the first operand; ONNX Runtime takes 8- or 4-bit weights as the second'
      : undefined
  }
  if (scope.constant(activation)) return undefined
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  if (tensor.dataType === DOUBLE) return 'its weights are float64'
  if (tensor.dataType !== FLOAT && tensor.dataType !== FLOAT16) return undefined
  if (tensor.dims.length !== 2)
    return `its weights have ${tensor.dims.length} dimensions; ONNX Runtime takes a matrix of 8- or 4-bit weights`
  if (elementCount(tensor.dims) === 0) return undefined
  if (opType === 'Gemm' && intAttribute(node, 'transA', 0) === 1)
    return 'it transposes its activation; ONNX Runtime multiplies packed weights in one form only'
  if (opType === 'Gemm' && !hasRowBias(scope, node, tensor))
    return 'its bias is not a constant row of the weights’ type; ONNX Runtime adds one value to each column'
  const transposed = opType === 'Gemm' && intAttribute(node, 'transB', 0) === 1
  const [rows, columns] = tensor.dims.map(Number) as [number, number]
  const [size, channels] = transposed ? [columns, rows] : [rows, columns]
  if (size === 1) return 'each output has one weight only, less than its scale would take'
  const factor = opType === 'Gemm' ? floatAttribute(node, 'alpha', 1) : 1
  return { kind: 'matrix', scope, node, weightName, tensor, size, channels, transposed, factor }
}

function hasRowBias(scope: Graph, node: NodeProto, { dims, dataType }: TensorProto): boolean {
  const [, , biasName = ''] = node.input
  if (biasName === '' || floatAttribute(node, 'beta', 1) === 0) return true
  const bias = scope.constant(biasName)
  const channels = Number(dims[intAttribute(node, 'transB', 0) === 1 ? 0 : 1])
  return bias?.dataType === dataType && isRowBias(bias, channels)
}

function tableUse(scope: Graph, node: NodeProto): LookupTable | string | undefined {
  const [weightName = '', indices = ''] = node.input
  const tensor = scope.constant(weightName)
  const { FLOAT, FLOAT16 } = TensorProto_DataType
  if (!tensor || (tensor.dataType !== FLOAT && tensor.dataType !== FLOAT16) || scope.constant(indices)) return undefined
  const rowLength = elementCount(tensor.dims.slice(1))
  if (tensor.dims.length < 2 || rowLength < SHORTEST_ROW || elementCount(tensor.dims) === 0) return undefined
  if (intAttribute(node, 'axis', 0) !== 0) return 'it does not look rows up: its elements would have scales of their own'
  return { kind: 'table', scope, node, weightName, tensor }
}

function hasWeights(scope: Graph, { input }: NodeProto): boolean {
  return input.some((name) => (scope.constant(name)?.dims.length ?? 0) > 1)
}

function unfitValues(tensor: TensorProto): string | undefined {
  return allFinite(tensor) ? undefined : 'its weights hold NaN or infinity'
}

/** How often each constant is read, in whatever graph: by nodes, and as a graph's output. */
function countReads(scopes: readonly Graph[]): Map<TensorProto, number> {
  const reads = new Map<TensorProto, number>()
  for (const scope of scopes) {
    const names = [...scope.nodes.flatMap(({ input }) => input), ...scope.outputs.map(({ name }) => name)]
    for (const name of names) {
      const tensor = name === '' ? undefined : scope.constant(name)
      if (tensor) reads.set(tensor, (reads.get(tensor) ?? 0) + 1)
    }
  }
  return reads
}
