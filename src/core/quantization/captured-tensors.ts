import type { GraphProto, NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'

/** Tensors of the surrounding graph that a node's sub-graphs (If, Loop, Scan) read, each as often as it is read. */
export function capturedTensors(node: NodeProto): string[] {
  return subgraphs(node).flatMap(capturedBy)
}

/** Makes a node's sub-graphs read `to` where they read the outer tensor `from`. */
export function renameCaptured(node: NodeProto, from: string, to: string): void {
  for (const body of subgraphs(node)) {
    // ONNX forbids a body to give an outer name a second meaning, so every use of it is the outer tensor.
    for (const inner of body.node) {
      inner.input = inner.input.map((name) => (name === from ? to : name))
      renameCaptured(inner, from, to)
    }
    for (const output of body.output) if (output.name === from) output.name = to
  }
}

/** Tensors of the surrounding graphs that a body, or one in it, reads, each as often as it is read. */
export function capturedBy(body: GraphProto): string[] {
  const own = new Set([...body.input, ...body.initializer].map(({ name }) => name))
  for (const { values } of body.sparseInitializer) if (values) own.add(values.name)
  for (const { output } of body.node) for (const name of output) own.add(name)
  const read = body.node.flatMap((node) => [...node.input, ...capturedTensors(node)])
  return [...read, ...body.output.map(({ name }) => name)].filter((name) => name !== '' && !own.has(name))
}
