import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'

/** A tensor that a kernel reads or writes, as the profiler gives it. */
export interface KernelValue {
  /** ONNX Runtime's name of the element type: `float`, `float16`, `uint8`, `int8`, `int32` … */
  readonly type: string
  readonly shape: readonly number[]
}

/** What ONNX Runtime's profiler says of one kernel. */
export interface KernelTiming {
  /** Its node's name in the graph as rewritten by the runtime. */
  readonly name: string
  readonly op: string
  /** Median over the profiled runs, milliseconds of one inference. A kernel in a loop counts with all its rounds. */
  readonly ms: number
  /** Constants that the kernel packed for itself are missing. */
  readonly inputs: readonly KernelValue[]
  readonly outputs: readonly KernelValue[]
  readonly activationBytes: number
  readonly parameterBytes: number
  readonly outputBytes: number
}

/** A kernel and where it comes from. */
export interface ProfiledKernel extends KernelTiming {
  /** Domain of its operator: empty, `com.microsoft`, `com.microsoft.nchwc` … */
  readonly domain: string
  /** Nodes of the model that it computes, in graph order; empty for what the runtime added (layout changes, casts). */
  readonly nodes: readonly NodeProto[]
  /** Its node in the rewritten graph. */
  readonly rewritten: NodeProto | undefined
}

/** Where the time of a model goes. */
export interface ModelProfile {
  readonly graph: Graph
  /** The graph as rewritten by the runtime; its names are not the model's. */
  readonly rewritten: Graph
  readonly kernels: readonly ProfiledKernel[]
  /** Median of a whole run with the profiler on, milliseconds. */
  readonly runMs: number
  readonly runs: number
}

/** What a node is called in reports: its name, or that of the first tensor it writes. */
export function nodeLabel(node: NodeProto): string {
  return node.name || node.output.find((name) => name !== '') || node.opType
}

/** A kernel in a word, with the layout it works in: `QLinearConv`, `Conv (NCHWc)`. */
export function kernelLabel({ op, domain }: Pick<ProfiledKernel, 'op' | 'domain'>): string {
  return domain === 'com.microsoft.nchwc' && !op.startsWith('Reorder') ? `${op} (NCHWc)` : op
}

/** Operators that multiply matrices: what a group of nodes is named after. */
const HEAVY: ReadonlySet<string> = new Set([
  'Conv',
  'ConvInteger',
  'ConvTranspose',
  'Gemm',
  'GRU',
  'LSTM',
  'MatMul',
  'MatMulInteger',
  'MatMulNBits',
  'QGemm',
  'QLinearConv',
  'QLinearMatMul',
  'RNN',
])

/** The node that a group is named after: the first that multiplies matrices, else the first that is no conversion between types. */
export function mainNode(nodes: readonly NodeProto[]): NodeProto | undefined {
  return nodes.find(({ opType }) => HEAVY.has(opType)) ?? nodes.find((node) => !isConversion(node)) ?? nodes[0]
}

/** QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear and Cast compute nothing of the model. */
export function isConversion({ opType }: Pick<NodeProto, 'opType'>): boolean {
  return /^(Dynamic)?QuantizeLinear$|^DequantizeLinear$|^Cast$/.test(opType)
}

/** Milliseconds by node, a kernel's time under its {@link mainNode}; what the runtime added stands under the kernel's own name. */
export function timesByNode({ kernels }: Pick<ModelProfile, 'kernels'>): Map<string, number> {
  const times = new Map<string, number>()
  for (const { nodes, name, ms } of kernels) {
    const main = mainNode(nodes)
    const label = main ? nodeLabel(main) : name
    times.set(label, (times.get(label) ?? 0) + ms)
  }
  return times
}
