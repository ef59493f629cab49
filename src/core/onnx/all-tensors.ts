import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from 'onnx-buf'

/** Every tensor of a model, wherever it stands: initializers, attributes, sub-graphs, functions, training graphs. */
export function* allTensors(model: ModelProto): Generator<TensorProto> {
  if (model.graph) yield* graphTensors(model.graph)
  for (const { attributeProto, node } of model.functions) {
    for (const entry of attributeProto) yield* attributeTensors(entry)
    yield* nodeTensors(node)
  }
  for (const { initialization, algorithm } of model.trainingInfo) {
    if (initialization) yield* graphTensors(initialization)
    if (algorithm) yield* graphTensors(algorithm)
  }
}

function* graphTensors(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer
  for (const { values, indices } of graph.sparseInitializer) yield* [values, indices].filter((part) => part !== undefined)
  yield* nodeTensors(graph.node)
}

function* nodeTensors(nodes: readonly NodeProto[]): Generator<TensorProto> {
  for (const node of nodes) for (const entry of node.attribute) yield* attributeTensors(entry)
}

function* attributeTensors(entry: AttributeProto): Generator<TensorProto> {
  if (entry.t) yield entry.t
  yield* entry.tensors
  for (const sparse of [...(entry.sparseTensor ? [entry.sparseTensor] : []), ...entry.sparseTensors]) {
    yield* [sparse.values, sparse.indices].filter((part) => part !== undefined)
  }
  if (entry.g) yield* graphTensors(entry.g)
  for (const graph of entry.graphs) yield* graphTensors(graph)
}
