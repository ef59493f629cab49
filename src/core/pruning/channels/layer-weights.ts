import type { NodeProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataType } from 'onnx-buf'
import { floatAttribute, type Graph, intAttribute } from '../../onnx/graph.ts'
import { floatValues, makeTensor } from '../../onnx/tensor-values.ts'
import type { ChannelLayer } from './channel-coupling.ts'

/** A layer's weights as matrices, one for each group: [inputs, outputs], row-major; a row is one input channel at one kernel position. */
export interface LayerMatrices {
  readonly layer: ChannelLayer
  readonly node: NodeProto
  /** Rows: input channels of a group times kernel positions. */
  readonly inputs: number
  /** Columns: output channels of a group. */
  readonly outputs: number
  /** Kernel positions: rows of one input channel, which follow each other. */
  readonly positions: number
  readonly values: readonly Float64Array[]
}

/**
 * The layers whose output is a linear function of their inputs' rows: Conv, MatMul, and Gemm as it is usually written.
 * @returns `undefined` for others, and for weights that are not float32
 */
export function layerMatrices(graph: Graph, layer: ChannelLayer): LayerMatrices | undefined {
  const node = graph.nodes.find(({ name }) => name === layer.node)
  const tensor = graph.initializer(layer.weight)
  if (!node || tensor?.dataType !== TensorProto_DataType.FLOAT || !isPlain(node)) return undefined
  const dims = tensor.dims.map(Number)
  const values = floatValues(tensor)
  const groups = layer.groups
  const total = dims[layer.outputAxis]!
  const positions = node.opType === 'Conv' ? dims.slice(2).reduce((product, dim) => product * dim, 1) : 1
  const inputs = values.length / total
  const outputs = total / groups
  const outputsFirst = layer.outputAxis === 0
  return {
    layer,
    node,
    inputs,
    outputs,
    positions,
    values: Array.from({ length: groups }, (_, group) => {
      const matrix = new Float64Array(inputs * outputs)
      for (let row = 0; row < inputs; row++)
        for (let column = 0; column < outputs; column++)
          matrix[row * outputs + column] = values[outputsFirst ? (group * outputs + column) * inputs + row : row * outputs + column]!
      return matrix
    }),
  }
}

function isPlain(node: NodeProto): boolean {
  if (node.opType === 'Conv' || node.opType === 'MatMul') return true
  const plain = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1
  return node.opType === 'Gemm' && plain && intAttribute(node, 'transA', 0) === 0
}

/** Writes matrices in the form of {@link LayerMatrices} back into a model. */
export function writeMatrices(graph: Graph, { layer, inputs, outputs }: LayerMatrices, matrices: readonly Float64Array[]): void {
  const before = graph.initializer(layer.weight)!
  const values = new Float32Array(inputs * outputs * matrices.length)
  for (const [group, matrix] of matrices.entries())
    for (let row = 0; row < inputs; row++)
      for (let column = 0; column < outputs; column++)
        values[layer.outputAxis === 0 ? (group * outputs + column) * inputs + row : row * outputs + column] =
          matrix[row * outputs + column]!
  graph.replaceInitializer(makeTensor(layer.weight, 'float32', before.dims.map(Number), values))
}

/** Where a layer's constant offset lives: its own bias, or that of an Add behind a MatMul. `place` is missing when one can be added. */
export interface LayerOffset {
  /** The tensor that holds the layer's output with its offset. */
  readonly output: string
  readonly bias: TensorProto | undefined
}

/** @returns `undefined` when the layer has no place for an offset */
export function layerOffset(graph: Graph, node: NodeProto): LayerOffset | undefined {
  const output = node.output[0]!
  if (node.opType === 'Conv' || node.opType === 'Gemm') {
    const name = node.input[2] ?? ''
    const bias = name === '' ? undefined : graph.initializer(name)
    return name === '' || isVector(bias) ? { output, bias } : undefined
  }
  const [reader, ...others] = graph.consumers(output)
  if (reader?.opType !== 'Add' || others.length > 0 || graph.isGraphOutput(output)) return undefined
  const bias = graph.initializer(reader.input.find((name) => name !== output) ?? '')
  return isVector(bias) ? { output: reader.output[0]!, bias } : undefined
}

function isVector(tensor: TensorProto | undefined): boolean {
  return (
    tensor?.dataType === TensorProto_DataType.FLOAT &&
    tensor.dims.length > 0 &&
    tensor.dims.slice(0, -1).every((dim) => dim === 1n) &&
    tensor.dims.at(-1)! > 0n
  )
}

/** Writes a layer's offset; a Conv or Gemm without bias gets one. */
export function writeOffset(graph: Graph, node: NodeProto, { bias }: LayerOffset, values: Float32Array): void {
  if (bias) {
    graph.replaceInitializer(makeTensor(bias.name, 'float32', bias.dims.map(Number), values))
    return
  }
  const name = graph.freshName(`${node.input[1]}_bias`)
  graph.addInitializer(makeTensor(name, 'float32', [values.length], values))
  node.input = [node.input[0]!, node.input[1]!, name]
  graph.reindex()
}
