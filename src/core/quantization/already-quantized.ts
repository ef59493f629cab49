import type { NodeProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { Graph } from '../onnx/graph.ts'

/** Operators that only a quantized model has. */
const QUANTIZED_OPS =
  /^(?:QuantizeLinear|DequantizeLinear|DynamicQuantize\w+|QLinear\w+|QGemm|QAttention|\w*(?:Conv|MatMul)Integer\w*|MatMulNBits|\w*Quantized\w*)$/

/** The first node of a graph that only a quantized model has. */
export function quantizedNode(graph: Graph): NodeProto | undefined {
  return graph.nodes.find(({ opType }) => QUANTIZED_OPS.test(opType))
}

/**
 * Refuses a model that is quantized already: quantizing twice loses accuracy twice.
 * @throws CoreError `RECIPE_NOT_APPLICABLE` naming the first such node
 */
export function requireFloatModel(graph: Graph): void {
  const found = quantizedNode(graph)
  if (!found) return
  throw new CoreError('RECIPE_NOT_APPLICABLE', `The model is quantized already: it has ${found.opType} "${found.name}".`, {
    hint: 'Start from the float32 model.',
    details: { node: found.name, op: found.opType },
  })
}
