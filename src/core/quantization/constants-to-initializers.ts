import { type AttributeProto, type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { attribute, type Graph } from '../onnx/graph.ts'
import { makeTensor } from '../onnx/tensor-values.ts'

/** Constant nodes with float32 values become initializers of the same name. */
export function constantsToInitializers(graph: Graph): void {
  const replaced = graph.nodes.flatMap((node) => {
    const value = node.opType === 'Constant' ? constantValue(node) : undefined
    return value ? [{ node, value }] : []
  })
  graph.removeNodes(replaced.filter(({ node }) => !graph.isGraphOutput(node.output[0]!)).map(({ node }) => node))
  for (const { node, value } of replaced)
    if (!graph.isGraphOutput(node.output[0]!)) graph.addInitializer(Object.assign(value, { name: node.output[0]! }))
}

function constantValue(node: NodeProto): TensorProto | undefined {
  const tensor = attribute(node, 'value')?.t
  if (tensor) return tensor.dataType === TensorProto_DataType.FLOAT ? tensor : undefined
  const number: AttributeProto | undefined = attribute(node, 'value_float')
  if (number) return makeTensor('', 'float32', [], Float32Array.of(number.f))
  const list = attribute(node, 'value_floats')?.floats
  return list && makeTensor('', 'float32', [list.length], Float32Array.from(list))
}
