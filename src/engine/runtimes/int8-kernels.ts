import type { NodeProto } from 'onnx-buf'
import { TensorProto_DataType } from 'onnx-buf'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { rewrittenModel } from './onnx-runtime.ts'

/** An operator that ONNX Runtime runs on 8-bit values. */
export interface Int8Kernel {
  /** The model's node it came from, as far as ONNX Runtime keeps the name. */
  readonly node: string
  /** The kernel, for example `QLinearConv`. */
  readonly op: string
}

/** What {@link countInt8Kernels} found. */
export interface Int8Kernels {
  readonly kernels: readonly Int8Kernel[]
  /** Nodes of the model that run in another type, Q and DQ themselves left out. */
  readonly others: ReadonlySet<string>
  /** Kernels by operator. */
  readonly byOp: Readonly<Record<string, number>>
}

/** Kernels that multiply or combine 8-bit values, whatever they give out. */
const INT8_OPS: ReadonlySet<string> = new Set([
  'ConvInteger',
  'DynamicQuantizeLSTM',
  'DynamicQuantizeMatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'QAttention',
  'QGemm',
  'QLinearAdd',
  'QLinearAveragePool',
  'QLinearConcat',
  'QLinearConv',
  'QLinearGlobalAveragePool',
  'QLinearLeakyRelu',
  'QLinearMatMul',
  'QLinearMul',
  'QLinearSigmoid',
  'QLinearSoftmax',
  'QLinearWhere',
])

/** Operators that run unchanged on 8-bit values when their first input is 8-bit. */
const MOVES: ReadonlySet<string> = new Set([
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'MaxPool',
  'ReduceMax',
  'ReduceMin',
  'Reshape',
  'Resize',
  'Slice',
  'Split',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
])

const CONVERSIONS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'])

/**
 * Lists the nodes of a model that ONNX Runtime turns into 8-bit kernels on this computer. Looked at after the `extended`
 * level: what `all` adds is the order of values in memory, which gives nodes other names and leaves kernels 8-bit.
 *
 * @param signedActivations accept int8 activations the way arm64 does; x64 only rewrites them to uint8 where it can
 * @throws EdgesmithError `MODEL_LOAD_FAILED` and relatives
 */
export async function countInt8Kernels(
  model: Uint8Array,
  { signedActivations = false }: { readonly signedActivations?: boolean } = {},
): Promise<Int8Kernels> {
  const configuration = signedActivations ? { session: { qdqisint8allowed: '1' } } : undefined
  const rewritten = new Graph(decodeModel(await rewrittenModel(model, 'extended', configuration), 'the rewritten model'))
  const own = new Set(allNodes(new Graph(decodeModel(model, 'the model'))).map(({ name }) => name))
  const found = new Set(int8Nodes(rewritten))
  const kernels = [...found].flatMap((node): Int8Kernel[] => {
    return INT8_OPS.has(node.opType) || own.has(node.name) ? [{ node: node.name, op: node.opType }] : []
  })
  const byOp: Record<string, number> = {}
  for (const { op } of kernels) byOp[op] = (byOp[op] ?? 0) + 1
  const others = new Set(
    allNodes(rewritten).flatMap((node) => (!found.has(node) && own.has(node.name) && !CONVERSIONS.has(node.opType) ? [node.name] : [])),
  )
  return { kernels, others, byOp }
}

/** Nodes of a graph and of those in it. */
function allNodes(graph: Graph): NodeProto[] {
  return graph.scopes().flatMap(({ nodes }) => nodes)
}

/** Nodes that work on 8-bit tensors, found by following them from quantizers and constants to the end of each graph. */
function int8Nodes(graph: Graph): NodeProto[] {
  const found: NodeProto[] = []
  const known = new Map<Graph, ReadonlySet<string>>()
  for (const scope of graph.scopes()) {
    const constants = scope.proto.initializer.filter(
      ({ dataType }) => dataType === TensorProto_DataType.INT8 || dataType === TensorProto_DataType.UINT8,
    )
    const eightBit = new Set([...((scope.parent && known.get(scope.parent)) ?? []), ...constants.map(({ name }) => name)])
    known.set(scope, eightBit)
    for (const node of scope.nodes) {
      const moves = MOVES.has(node.opType) && eightBit.has(node.input[0] ?? '')
      if (moves || INT8_OPS.has(node.opType)) found.push(node)
      if (moves || givesEightBit(node)) for (const output of node.output) eightBit.add(output)
    }
  }
  return found
}

function givesEightBit(node: NodeProto): boolean {
  // QGemm: A, a_scale, a_zero_point, B, b_scale, b_zero_point, C, y_scale, y_zero_point; without the last two it gives float.
  if (node.opType === 'QGemm') return (node.input[7] ?? '') !== ''
  return node.opType === 'QuantizeLinear' || node.opType === 'DynamicQuantizeLinear' || node.opType.startsWith('QLinear')
}
