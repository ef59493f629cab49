import type { FunctionProto, GraphProto, ModelProto, NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'

/** Name of the node at a place: main graph first, then sub-graphs, in the order of `Graph.scopes()`. */
function nodeName(place: number): string {
  return `n${place}`
}

/** Name of the tensor that was met as number `number`. */
function tensorName(number: number): string {
  return `t${number}`
}

/**
 * Gives every node and tensor of a model a plain name, in place: ONNX Runtime's profiler writes names into JSON without escaping, and
 * makes new names of them. Nodes are numbered as `Graph.scopes()` lists them. The same tensor name stays the same one everywhere,
 * so that sub-graphs read what they read before. The graph computes what it did.
 *
 * @returns new tensor names by old ones
 */
export function renameModel(model: ModelProto): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const rename = (name: string): string => {
    if (name === '') return ''
    const known = names.get(name)
    if (known !== undefined) return known
    const given = tensorName(names.size)
    names.set(name, given)
    return given
  }
  let place = 0
  const renameGraph = (graph: GraphProto): void => {
    for (const value of [...graph.input, ...graph.output, ...graph.valueInfo, ...graph.initializer]) value.name = rename(value.name)
    for (const { values } of graph.sparseInitializer) if (values) values.name = rename(values.name)
    // They only repeat names, and ONNX Runtime does not read them.
    graph.quantizationAnnotation = []
    for (const node of graph.node) renameNode(node)
    for (const node of graph.node) subgraphs(node).forEach(renameGraph)
  }
  const renameNode = (node: NodeProto): void => {
    node.name = nodeName(place++)
    node.input = node.input.map(rename)
    node.output = node.output.map(rename)
  }
  const renameFunction = (body: FunctionProto): void => {
    body.input = body.input.map(rename)
    body.output = body.output.map(rename)
    for (const value of body.valueInfo) value.name = rename(value.name)
    for (const node of body.node) renameNode(node)
    for (const node of body.node) subgraphs(node).forEach(renameGraph)
  }
  if (model.graph) renameGraph(model.graph)
  model.functions.forEach(renameFunction)
  return names
}
