import type { NodeProto } from 'onnx-buf'
import { type ActivationGrid, gridOf } from '../explanation/corresponding-tensors.ts'
import { isEightBitOperator } from '../explanation/kernel-kinds.ts'
import { mainNode, nodeLabel } from '../explanation/model-profile.ts'
import type { Graph } from '../onnx/graph.ts'
import type { TensorFactsByName } from '../quantization/tensor-facts.ts'
import type { Precision } from './machine-outputs.ts'

/** A tensor that a model can give out without changing much of how it runs, and the stretch of nodes that ends there. */
export interface ExposedLayer {
  readonly tensor: string
  /** Label of the main node. */
  readonly layer: string
  readonly op: string
  readonly precision: Precision
  /** Exposed tensors that the stretch reads. */
  readonly inputs: readonly string[]
  /** Of a tensor of 8 or 16 bit integers: how they stand for numbers. */
  readonly grid: ActivationGrid | null
}

/** Nodes that a runtime may compute in one kernel with what writes their input: giving out what is between would stop that. */
const FOLLOWERS: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'BatchNormalization', 'Cast', 'QuantizeLinear', 'Identity', 'Reshape', 'Flatten', 'Squeeze'],
  ...['Unsqueeze', 'Transpose', 'Relu', 'Clip', 'LeakyRelu', 'PRelu', 'Elu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Erf', 'Gelu'],
  ...['Softplus', 'Sqrt', 'Pow', 'Neg', 'Exp', 'Where'],
])

/** Where operators of 8-bit integers have scale and zero point of their result (ONNX; com.microsoft). */
const RESULT_SCALE: Readonly<Record<string, number>> = { QLinearConv: 6, QLinearMatMul: 6, QLinearAdd: 6, QLinearMul: 6 }

/** Nodes between two exposed tensors; more than that is no layer. */
const MOST_NODES = 64

/**
 * Inner tensors to compare on two machines, in graph order: results of the main graph's nodes that depend on its inputs, each at the end of what
 * the runtime computes in one kernel (a convolution with its normalization, ReLU and quantization). Of quantized tensors the integers are
 * given out, so that Q/DQ pairs still fuse. Tensors in sub-graphs, with a scale for each channel, or of other types are left out.
 */
export function exposedLayers(graph: Graph, facts: TensorFactsByName): ExposedLayer[] {
  const dynamic = dynamicTensors(graph)
  const layers = new Map<string, ExposedLayer>()
  for (const writer of graph.nodes) {
    for (const tensor of writer.output) {
      const exposed = dynamic.has(tensor) ? exposedAs(graph, facts, writer, tensor) : undefined
      if (!exposed) continue
      const { nodes, inputs } = stretch(graph, writer, (name) => layers.has(name), dynamic)
      const main = mainNode(nodes) ?? writer
      const precision = precisionOf(graph, facts, main, tensor, dynamic, exposed.grid)
      layers.set(tensor, { tensor, layer: nodeLabel(main), op: main.opType, precision, inputs, grid: exposed.grid })
    }
  }
  return [...layers.values()]
}

/** Type a model computes in: the coarsest of its layers'. */
export function coarsestPrecision(layers: readonly Pick<ExposedLayer, 'precision'>[]): Precision {
  const found = new Set(layers.map(({ precision }) => precision))
  return (['int8', 'float16'] as const).find((precision) => found.has(precision)) ?? 'float32'
}

/** Distance of neighbouring values of an output that comes from an 8-bit grid: 1 for the integers themselves; null for others. */
export function outputStep(graph: Graph, output: string): number | null {
  const writer = graph.producer(output)
  if (!writer) return null
  if (writer.opType === 'DequantizeLinear') return gridOf(graph, writer)?.scale ?? null
  return resultGrid(graph, writer) ? 1 : null
}

function dynamicTensors(graph: Graph): ReadonlySet<string> {
  const dynamic = new Set(graph.inputs.map(({ name }) => name))
  for (const node of graph.nodes) {
    // What a body of If or Loop reads from outside cannot be seen among the inputs.
    const depends = node.input.some((name) => dynamic.has(name)) || node.attribute.some(({ g }) => g !== undefined)
    if (depends) for (const name of node.output) if (name !== '') dynamic.add(name)
  }
  return dynamic
}

function exposedAs(
  graph: Graph,
  facts: TensorFactsByName,
  writer: NodeProto,
  tensor: string,
): { readonly grid: ActivationGrid | null } | undefined {
  if (writer.opType === 'DequantizeLinear' || writer.opType === 'DynamicQuantizeLinear') return undefined
  const grid = tensor === writer.output[0] ? resultGrid(graph, writer) : undefined
  if (grid) return { grid }
  const type = facts.get(tensor)?.type
  if (type !== 'float32' && type !== 'float16' && type !== 'float64') return undefined
  const readers = graph.consumers(tensor)
  const goesOn = readers.length === 1 && FOLLOWERS.has(readers[0]!.opType) && !graph.isGraphOutput(tensor)
  return goesOn ? undefined : { grid: null }
}

/** Grid of what a node gives, where that is a tensor of small integers. */
function resultGrid(graph: Graph, node: NodeProto): ActivationGrid | undefined {
  if (node.opType === 'QuantizeLinear') return gridOf(graph, node)
  const at = RESULT_SCALE[node.opType]
  return at === undefined ? undefined : gridOf(graph, { ...node, input: ['', node.input[at] ?? '', node.input[at + 1] ?? ''] })
}

/** Nodes from a writer back to exposed tensors, in graph order, and those tensors. */
function stretch(graph: Graph, writer: NodeProto, isExposed: (tensor: string) => boolean, dynamic: ReadonlySet<string>) {
  const nodes: NodeProto[] = []
  const inputs = new Set<string>()
  const seen = new Set<NodeProto>()
  const open = [writer]
  for (let node = open.shift(); node && nodes.length < MOST_NODES; node = open.shift()) {
    if (seen.has(node)) continue
    seen.add(node)
    nodes.unshift(node)
    for (const name of node.input) {
      const producer = graph.producer(name)
      if (isExposed(name)) inputs.add(name)
      else if (producer && dynamic.has(name)) open.push(producer)
    }
  }
  return { nodes, inputs: [...inputs] }
}

function precisionOf(
  graph: Graph,
  facts: TensorFactsByName,
  main: NodeProto,
  tensor: string,
  dynamic: ReadonlySet<string>,
  grid: ActivationGrid | null,
): Precision {
  const reads = main.input.some((name) => dynamic.has(name) && graph.producer(name)?.opType === 'DequantizeLinear')
  const fromIntegers = reads && /^(Conv|ConvTranspose|Gemm|MatMul)$/.test(main.opType)
  if (grid || fromIntegers || isEightBitOperator(main.opType)) return 'int8'
  return facts.get(tensor)?.type === 'float16' ? 'float16' : 'float32'
}
