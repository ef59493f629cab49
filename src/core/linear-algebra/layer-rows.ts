import { type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { type AttributeValue, makeAttribute, makeNode } from '../onnx/builders.ts'
import { attribute, type Graph, intAttribute, intsAttribute, stringAttribute } from '../onnx/graph.ts'
import { makeInt64, makeTensor } from '../onnx/tensor-values.ts'

/** A node's input as a matrix: the name of a float32 tensor [rows, size], one row for each time the weights are multiplied. */
export interface LayerRows {
  readonly rows: string
  /** K: weights of one output channel. */
  readonly size: number
}

/** Filters of the convolution that lays patches out: one for each patch element, and each as large as a patch. */
const MAX_IDENTITY_WEIGHTS = 2 ** 24
/** Groups of a convolution that are told apart; more are depthwise ones, whose few weights need no such care. */
const MAX_GROUPS = 64

/** How a layer's weights are laid out: what {@link appendRows} needs of it. */
export interface LayerShape {
  readonly kind: 'Conv' | 'MatMul' | 'Gemm'
  /** K */
  readonly size: number
  readonly groups: number
  readonly weight: TensorProto
  /** Output channels, of all groups together. */
  readonly channels: number
  /** The tensor is [K, channels], otherwise [channels, K]. */
  readonly channelsLast: boolean
}

/** The shape of a Conv, MatMul or Gemm with constant weights as its second operand; `undefined` for other nodes. */
export function layerShape(graph: Graph, node: NodeProto): LayerShape | undefined {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return undefined
  const weight = graph.constant(node.input[1] ?? '')
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  if (!weight || ![FLOAT, FLOAT16, DOUBLE].includes(weight.dataType)) return undefined
  const dims = weight.dims.map(Number)
  if (dims.some((dim) => dim <= 0)) return undefined
  if (node.opType === 'Conv') {
    const groups = intAttribute(node, 'group', 1)
    if (dims.length < 3 || groups < 1 || dims[0]! % groups !== 0) return undefined
    const size = dims.slice(1).reduce((product, dim) => product * dim, 1)
    return { kind: 'Conv', size, groups, weight, channels: dims[0]!, channelsLast: false }
  }
  if (dims.length !== 2 || (node.opType !== 'MatMul' && node.opType !== 'Gemm')) return undefined
  const channelsLast = node.opType === 'MatMul' || intAttribute(node, 'transB', 0) !== 1
  const [size, channels] = (channelsLast ? dims : dims.toReversed()) as [number, number]
  return { kind: node.opType, size, groups: 1, weight, channels, channelsLast }
}

/**
 * Names a node's input as a matrix of rows [rows, K] inside the graph, by appending nodes that every opset from 7 on has. K runs
 * in the order of the weight's own elements: Conv input channel of the group, then kernel position; MatMul and Gemm the
 * inner dimension. The patches of a convolution are laid out by a convolution with an identity matrix for weights, which takes
 * strides, pads and dilations as the node itself does.
 *
 * @param input the node's first input
 * @param spacing take every so many-th position of a convolution in each direction, or row of a matrix
 * @returns one entry for each group of a convolution; `undefined` where it is not possible: the node is no Conv, MatMul or Gemm
 *   with constant weights as second operand, or has too many groups or too large patches
 */
export function appendRows(graph: Graph, node: NodeProto, input: string, spacing = 1): LayerRows[] | undefined {
  const shape = layerShape(graph, node)
  if (!shape || node.input[0] !== input || input === '' || shape.groups > MAX_GROUPS) return undefined
  const chain = new NodeChain(graph, input)
  // Products of float16 would overflow, and ONNX Runtime has no float16 kernels for some of the nodes.
  if (shape.weight.dataType !== TensorProto_DataType.FLOAT) chain.add('Cast', [], { to: TensorProto_DataType.FLOAT })
  if (shape.kind === 'Conv') return convolutionRows(chain, node, shape, spacing)
  if (shape.kind === 'Gemm' && intAttribute(node, 'transA', 0) === 1) chain.add('Transpose', [], { perm: [1, 0] })
  if (spacing > 1) {
    chain.reshape([1, 1, -1, shape.size])
    chain.add('MaxPool', [], { kernel_shape: [1, 1], strides: [spacing, 1] })
  }
  chain.reshape([-1, shape.size])
  return [{ rows: chain.tensor, size: shape.size }]
}

function convolutionRows(
  chain: NodeChain,
  node: NodeProto,
  { weight, size, groups }: LayerShape,
  spacing: number,
): LayerRows[] | undefined {
  const kernel = weight.dims.slice(2).map(Number)
  const positions = kernel.reduce((product, dim) => product * dim, 1)
  const channels = Number(weight.dims[1]) * groups
  if (channels * positions * positions > MAX_IDENTITY_WEIGHTS) return undefined
  const rank = kernel.length
  const strides = intsAttribute(node, 'strides') ?? new Array<number>(rank).fill(1)
  const resized = strides.map((stride) => stride * spacing)
  // With SAME, padding depends on stride and input size: positions are thinned out afterwards there.
  const same = stringAttribute(node, 'auto_pad', 'NOTSET').startsWith('SAME')
  const plain =
    positions === 1 && (same ? strides : resized).every((stride) => stride === 1) && !intsAttribute(node, 'pads')?.some((pad) => pad !== 0)
  if (!plain) {
    const identity = new Float32Array(channels * positions * positions)
    for (let filter = 0; filter < channels * positions; filter++) identity[filter * positions + (filter % positions)] = 1
    const weights = chain.constant(makeTensor('', 'float32', [channels * positions, 1, ...kernel], identity))
    const patches = chain.add('Conv', [weights], { group: channels, kernel_shape: kernel, strides: same ? strides : resized })
    for (const name of ['pads', 'dilations', 'auto_pad']) {
      const given = attribute(node, name)
      if (given) patches.attribute.push(given)
    }
  }
  if (same && spacing > 1)
    chain.add('MaxPool', [], { kernel_shape: new Array<number>(rank).fill(1), strides: new Array<number>(rank).fill(spacing) })
  if (groups === 1) {
    // 0 stands for the batch as it is.
    chain.reshape([0, size, -1])
    chain.add('Transpose', [], { perm: [0, 2, 1] })
    chain.reshape([-1, size])
    return [{ rows: chain.tensor, size }]
  }
  chain.reshape([0, groups, size, -1])
  chain.add('Transpose', [], { perm: [1, 0, 3, 2] })
  return Array.from({ length: groups }, (_, group) => {
    const part = new NodeChain(chain.graph, chain.tensor)
    part.add('Gather', [part.constant(makeInt64('', [], [group]))], { axis: 0 })
    part.reshape([-1, size])
    return { rows: part.tensor, size }
  })
}

/** Appends nodes to a graph, each reading what the one before wrote. */
class NodeChain {
  readonly graph: Graph
  tensor: string

  constructor(graph: Graph, tensor: string) {
    this.graph = graph
    this.tensor = tensor
  }

  add(opType: string, further: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): NodeProto {
    const output = this.graph.freshName(`rows_${opType}`)
    const node = makeNode(opType, [this.tensor, ...further], [output], attributes, { name: this.graph.freshName(`${output}_node`) })
    this.graph.insertNodes([node])
    this.tensor = output
    return node
  }

  reshape(dims: readonly number[]): void {
    this.add('Reshape', [this.constant(makeInt64('', [dims.length], dims))])
  }

  /** A Constant node rather than an initializer: before IR version 4 initializers would have to be inputs as well. */
  constant(tensor: TensorProto): string {
    const name = this.graph.freshName('rows_constant')
    const node = makeNode('Constant', [], [name], {}, { name: this.graph.freshName(`${name}_node`) })
    node.attribute.push(makeAttribute('value', tensor))
    this.graph.insertNodes([node])
    return name
  }
}
