import { create } from '@bufbuild/protobuf'
import { type ModelProto, type NodeProto, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import { attribute, type Graph, intAttribute } from '../../onnx/graph.ts'
import { elementCount, floatValues, makeTensor } from '../../onnx/tensor-values.ts'
import { prepareForQuantization, type QuantizableModel } from '../../quantization/prepare-model.ts'

/** Constants up to this size get a copy for each node that reads them: exporters share equal biases, which has nothing to do with channels. */
const UNSHARED_ELEMENTS = 8192

/**
 * Folds BatchNormalization and constants as for quantization (opset 13 or later afterwards), makes initializers of Constant nodes and float32 of
 * float16 weights, and gives each
 * node small constants of its own.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when the model is quantized already or too old; the runtime's load errors
 */
export async function prepareForChannels(source: ModelProto, runtime: InferenceRuntime): Promise<QuantizableModel> {
  const prepared = await prepareForQuantization(source, runtime)
  storeConstants(prepared.graph)
  castConstants(prepared.graph)
  unshareConstants(prepared.graph)
  return prepared
}

function storeConstants(graph: Graph): void {
  const constants = graph.nodes.flatMap((node) => {
    const value = node.opType === 'Constant' ? attribute(node, 'value')?.t : undefined
    return value && !graph.isGraphOutput(node.output[0]!) ? [{ node, value }] : []
  })
  graph.removeNodes(constants.map(({ node }) => node))
  for (const { node, value } of constants) graph.addInitializer(create(TensorProtoSchema, { ...value, name: node.output[0]! }))
}

/** Stored halves become float32: ONNX Runtime computes float16 models so on a processor and wrote Cast nodes for that. */
function castConstants(graph: Graph): void {
  const casts = graph.nodes.flatMap((node) => {
    const tensor = node.opType === 'Cast' ? graph.initializer(node.input[0]!) : undefined
    const toFloat = intAttribute(node, 'to', 0) === TensorProto_DataType.FLOAT
    const half = tensor?.dataType === TensorProto_DataType.FLOAT16 && !graph.isGraphInput(tensor.name)
    return tensor && half && toFloat && !graph.isGraphOutput(node.output[0]!) ? [{ node, tensor }] : []
  })
  graph.removeNodes(casts.map(({ node }) => node))
  for (const { node, tensor } of casts)
    graph.addInitializer(makeTensor(node.output[0]!, 'float32', tensor.dims.map(Number), floatValues(tensor)))
  graph.removeUnusedInitializers()
}

function unshareConstants(graph: Graph): void {
  const used = new Set<string>()
  for (const node of graph.nodes) node.input = node.input.map((name) => ownName(graph, node, name, used))
  graph.reindex()
  graph.removeUnusedInitializers()
}

/** The name itself for the first reader, that of a copy for the others. */
function ownName(graph: Graph, node: NodeProto, name: string, used: Set<string>): string {
  const tensor = graph.isGraphInput(name) ? undefined : graph.initializer(name)
  if (!tensor || tensor.dims.length === 0 || elementCount(tensor.dims) > UNSHARED_ELEMENTS) return name
  if (!used.has(name)) {
    used.add(name)
    return name
  }
  const copy = create(TensorProtoSchema, { ...tensor, name: graph.freshName(`${name}_of_${node.name}`) })
  graph.addInitializer(copy)
  return copy.name
}
