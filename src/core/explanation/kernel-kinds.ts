import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { intAttribute } from '../onnx/graph.ts'
import { elementCount } from '../onnx/tensor-values.ts'
import type { ProfiledKernel } from './model-profile.ts'

const EIGHT_BIT_OPS = /^(QLinear\w+|QGemm|ConvInteger|MatMulInteger(ToFloat)?|DynamicQuantize(MatMul|LSTM)|QAttention|NhwcMaxPool)$/

/** Kernels that convert between number types. */
const CONVERSIONS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear'])

/** Operators that move values, or write the same ones in another shape: 8-bit values pass through as they are. */
export const MOVES: ReadonlySet<string> = new Set([
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'Identity',
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

/** Operators that ONNX Runtime's CPU provider (1.30) has an 8-bit kernel for, besides {@link MOVES}. */
const WITH_KERNEL: ReadonlySet<string> = new Set([
  'Add',
  'AveragePool',
  'Clip',
  'Concat',
  'Conv',
  'Gemm',
  'GlobalAveragePool',
  'LeakyRelu',
  'MatMul',
  'Mul',
  'Relu',
  'Sigmoid',
  'Softmax',
  'Where',
])

/** Whether a kernel works on 8-bit values. */
export function worksIn8Bits({ op, inputs }: Pick<ProfiledKernel, 'op' | 'inputs'>): boolean {
  if (isEightBitOperator(op)) return true
  return !CONVERSIONS.has(op) && (inputs[0]?.type === 'uint8' || inputs[0]?.type === 'int8')
}

/** QuantizeLinear or DequantizeLinear that runs as a kernel of its own. */
export function convertsTypes({ op }: Pick<ProfiledKernel, 'op'>): boolean {
  return CONVERSIONS.has(op)
}

/** DequantizeLinear of a constant: the same work in every inference. */
export function dequantizesConstant(rewritten: Graph, { op, rewritten: node }: ProfiledKernel): boolean {
  return op === 'DequantizeLinear' && node !== undefined && rewritten.constant(node.input[0] ?? '') !== undefined
}

/** Whether ONNX Runtime's CPU provider could run an operator in 8 bits. */
export function hasInt8Kernel(op: string): boolean {
  return WITH_KERNEL.has(op) || MOVES.has(op)
}

/** A layout change or cast: nothing the model asked for when the runtime placed it. */
export function changesLayout({ op, nodes }: Pick<ProfiledKernel, 'op' | 'nodes'>): boolean {
  return /^Reorder(Input|Output)$/.test(op) || (op === 'Transpose' && nodes.length === 0)
}

/** Shape of a convolution's weights as far as constants tell. */
export interface ConvShape {
  readonly inputChannels: number
  readonly outputChannels: number
  readonly depthwise: boolean
}

/** @returns undefined for other operators and weights that are no constant of the graph (or DequantizeLinear of one) */
export function convShape(graph: Graph, node: NodeProto): ConvShape | undefined {
  if (node.opType !== 'Conv') return undefined
  const name = node.input[1] ?? ''
  const dequantizer = graph.producer(name)
  const weight =
    graph.constant(name) ?? (dequantizer?.opType === 'DequantizeLinear' ? graph.constant(dequantizer.input[0] ?? '') : undefined)
  if (!weight || weight.dims.length < 3 || elementCount(weight.dims) === 0) return undefined
  const group = intAttribute(node, 'group', 1)
  const [outputChannels, perGroup] = [Number(weight.dims[0]), Number(weight.dims[1])]
  return { inputChannels: perGroup * group, outputChannels, depthwise: group > 1 && perGroup === 1 }
}

/** ONNX's name of an element type as the profiler calls it: `float` is `float32`, `double` is `float64`. */
export function kernelValueType(type: string): string {
  return type === 'float' ? 'float32' : type === 'double' ? 'float64' : type
}

/** Whether an operator multiplies or adds 8-bit values, going by its name alone. */
export function isEightBitOperator(op: string): boolean {
  return EIGHT_BIT_OPS.test(op)
}
