import type { NodeProto } from 'onnx-buf'
import { makeNode } from '../../onnx/builders.ts'
import type { Graph } from '../../onnx/graph.ts'
import type { TensorFactsByName } from '../tensor-facts.ts'
import type { NodeInsertions } from './node-insertions.ts'
import type { WeightLayer } from './weight-layers.ts'

/** Operators that ONNX Runtime takes for one that quantization makes superfluous, see {@link separateActivation}. */
const TAKEN_FOR_SUPERFLUOUS: ReadonlySet<string> = new Set(['Relu', 'Clip'])

/**
 * Puts a Flatten that changes nothing between a matrix product and a Relu or Clip that alone reads it. Without it ONNX Runtime
 * (1.30, `DQMatMulNodeGroupSelector`) takes the activation for part of a quantized group, refuses the group for that, and
 * converts the weights to float in each inference. A Flatten of two dimensions neither copies nor computes.
 *
 * Only for products known to have two dimensions; where a layer keeps its activation, whoever asks which layers were fused finds out.
 */
export function separateActivation({ scope, node }: WeightLayer, facts: TensorFactsByName, insertions: NodeInsertions): void {
  const reader = onlyReader(scope, node)
  const sum = reader?.opType === 'Add' && !reader.domain ? reader : undefined
  const activation = sum ? onlyReader(scope, sum) : reader
  if (!activation || !TAKEN_FOR_SUPERFLUOUS.has(activation.opType)) return
  const [product = ''] = (sum ?? node).output
  if (activation.input[0] !== product || activation.input.lastIndexOf(product) !== 0) return
  // Gemm always gives two; the types of sub-graphs are not looked up.
  const isMatrix = (node.opType === 'Gemm' && !sum) || (!scope.parent && facts.get(product)?.shape.length === 2)
  if (!isMatrix) return
  const flat = scope.freshName(`${product}_matrix`)
  insertions.addBefore(scope, activation, [
    makeNode('Flatten', [product], [flat], { axis: 1 }, { name: scope.freshName(`${node.name}_Flatten`) }),
  ])
  activation.input = [flat, ...activation.input.slice(1)]
}

/** The node that alone reads what `node` gives, unless that is an output of the graph. */
function onlyReader(scope: Graph, { output: [output = ''] }: NodeProto): NodeProto | undefined {
  const [reader, ...others] = scope.consumers(output)
  return others.length === 0 && !scope.isGraphOutput(output) ? reader : undefined
}
