import type { NodeProto } from 'onnx-buf'
import { type AttributeValue, makeNode } from '../../onnx/builders.ts'
import { attribute, type Graph, intsAttribute } from '../../onnx/graph.ts'
import { makeInt64, makeTensor } from '../../onnx/tensor-values.ts'
import type { LayerMatrices } from './layer-weights.ts'

/** A layer and how far apart positions are taken. */
interface RowLayout {
  readonly matrices: LayerMatrices
  readonly spacing: number
}

/** The target as rows: [rows, outputs], or [groups, rows, outputs] for a depthwise layer. */
export function targetRows(builder: NodeBuilder, { matrices, spacing }: RowLayout, input: string, groups: number): string {
  const { node, outputs, layer: channels } = matrices
  const total = outputs * groups
  if (node.opType !== 'Conv') {
    if (spacing === 1) return builder.reshape(input, [-1, total])
    const planes = builder.reshape(input, [1, 1, -1, total])
    return builder.reshape(builder.add('MaxPool', [planes], { kernel_shape: [1, 1], strides: [spacing, 1] }), [-1, total])
  }
  const thinned = thinOut(builder, node, input, spacing)
  if (channels.kind === 'depthwise') return depthwiseOrder(builder, thinned, groups, outputs)
  const flat = builder.reshape(thinned, [0, total, -1])
  return builder.reshape(builder.add('Transpose', [flat], { perm: [0, 2, 1] }), [-1, total])
}

function thinOut(builder: NodeBuilder, node: NodeProto, tensor: string, spacing: number): string {
  if (spacing === 1) return tensor
  const rank = kernelOf(builder.graph, node).length
  return builder.add('MaxPool', [tensor], { kernel_shape: new Array<number>(rank).fill(1), strides: new Array<number>(rank).fill(spacing) })
}

/** [batch, groups · size, …] as [groups, rows, size] */
function depthwiseOrder(builder: NodeBuilder, tensor: string, groups: number, size: number): string {
  const split = builder.reshape(tensor, [0, groups, size, -1])
  return builder.reshape(builder.add('Transpose', [split], { perm: [1, 0, 3, 2] }), [groups, -1, size])
}

/** The patches of a depthwise convolution, laid out by a convolution with identity filters: [channels, rows, positions]. */
export function depthwiseRows(builder: NodeBuilder, { matrices, spacing }: RowLayout): string {
  const { node, positions, values } = matrices
  const kernel = kernelOf(builder.graph, node)
  const channels = values.length
  const identity = new Float32Array(channels * positions * positions)
  for (let filter = 0; filter < channels * positions; filter++) identity[filter * positions + (filter % positions)] = 1
  const weights = builder.constant(makeTensor('', 'float32', [channels * positions, 1, ...kernel], identity))
  const strides = intsAttribute(node, 'strides')
  const patches = builder.add(
    'Conv',
    [node.input[0]!, weights],
    { group: channels, kernel_shape: kernel, ...(strides ? { strides } : {}) },
    (made) => {
      for (const name of ['pads', 'dilations', 'auto_pad']) {
        const given = attribute(node, name)
        if (given) made.attribute.push(given)
      }
    },
  )
  return depthwiseOrder(builder, thinOut(builder, node, patches, spacing), channels, positions)
}

function kernelOf(graph: Graph, node: NodeProto): number[] {
  return graph.initializer(node.input[1]!)!.dims.slice(2).map(Number)
}

/** Appends nodes with names of their own. */
export class NodeBuilder {
  readonly graph: Graph

  constructor(graph: Graph) {
    this.graph = graph
  }

  add(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    change: (node: NodeProto) => void = () => {},
  ): string {
    const output = this.graph.freshName(`sums_${opType}`)
    const node = makeNode(opType, inputs, [output], attributes, { name: this.graph.freshName(`${output}_node`) })
    change(node)
    this.graph.insertNodes([node])
    return output
  }

  reshape(tensor: string, dims: readonly number[]): string {
    return this.add('Reshape', [tensor, this.integers(dims)])
  }

  integers(values: readonly number[]): string {
    return this.constant(makeInt64('', [values.length], values))
  }

  constant(tensor: ReturnType<typeof makeTensor>): string {
    tensor.name = this.graph.freshName('sums_constant')
    this.graph.addInitializer(tensor)
    return tensor.name
  }
}
