import { create } from '@bufbuild/protobuf'
import { type NodeProto, NodeProtoSchema } from 'onnx-buf'
import { type Graph, intAttribute } from '../onnx/graph.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { type DynamicContext, type DynamicMatch, isActivation } from './dynamic-match.ts'
import { transpose } from './dynamic-multiplication.ts'
import { type DynamicWriter, roundingLossDb, type WeightLoss, type WeightValues, weightProblem } from './dynamic-writer.ts'
import { allFinite } from './unit-matching.ts'
import { rowsLayout } from './weight-layout.ts'
import { quantizeWeights, weightScales } from './weight-quantization.ts'

/** Inputs of LSTM that DynamicQuantizeLSTM takes as they are: B, sequence_lens, initial_h, initial_c, P. */
const KEPT_INPUTS = 5

/**
 * LSTM with constant weights: ONNX Runtime's DynamicQuantizeLSTM (domain com.microsoft), which quantizes input and hidden state in
 * every step. Weights are stored transposed, [directions, input, 4·hidden], with a scale for each gate row, or one for each
 * direction. Measured on x64 without VNNI: 50 steps of hidden size 256 take 0.46 ms instead of 1.35. Its products saturate there as
 * those of MatMul do, so that the scales are pair-safe for the target x64 (then it is bit-exact).
 */
export function matchLstm(node: NodeProto, context: DynamicContext): DynamicMatch {
  if (node.opType !== 'LSTM') return undefined
  const { graph } = context
  const [activation = '', weights = '', recurrence = ''] = node.input
  if (!isActivation(activation, context)) return undefined
  const tensors = [weights, recurrence].map((name) => graph.constant(name))
  for (const tensor of tensors) {
    const problem = weightProblem(tensor, allFinite)
    if (problem !== undefined) return problem
    if (tensor?.dims.length !== 3) return `its weights have ${tensor?.dims.length} dimensions instead of 3`
  }
  // DynamicQuantizeLSTM has no such attribute, and ONNX Runtime's LSTM refuses it too.
  if (intAttribute(node, 'layout', 0) !== 0) return 'its batch comes first (layout = 1), for which there is no 8-bit kernel'
  return { node, weights: [weights, recurrence], write: (writer) => writeLstm(node, context, writer) }
}

function writeLstm(node: NodeProto, context: DynamicContext, writer: DynamicWriter): WeightLoss[] {
  const { graph } = context
  const [activation = '', weights = '', recurrence = ''] = node.input
  const store = (tensor: string) => writer.storedWeights(graph, tensor, 'gates', () => quantizedGates(graph, tensor, context))
  const [w, r] = [store(weights), store(recurrence)]
  const [wValues, ...wParameters] = w.names
  const [rValues, ...rParameters] = r.names
  const kept = Array.from({ length: KEPT_INPUTS }, (_, index) => node.input[3 + index] ?? '')
  graph.removeNodes([node])
  graph.insertNodes([
    create(NodeProtoSchema, {
      name: node.name,
      opType: 'DynamicQuantizeLSTM',
      domain: 'com.microsoft',
      input: [activation, wValues, rValues, ...kept, ...wParameters, ...rParameters],
      output: node.output,
      attribute: node.attribute.filter(({ name }) => name !== 'layout'),
    }),
  ])
  graph.requireOpset('com.microsoft', 1)
  return [
    { node: node.name, op: node.opType, tensor: weights, sqnrDb: w.sqnrDb },
    { node: node.name, op: node.opType, tensor: recurrence, sqnrDb: r.sqnrDb },
  ]
}

/** [directions, 4·hidden, K] → int8 [directions, K, 4·hidden] with scales [directions, 4·hidden], or [directions]. */
function quantizedGates(graph: Graph, tensor: string, { perChannel, rules }: DynamicContext): WeightValues {
  const constant = graph.constant(tensor)!
  const [directions = 0, rows = 0, columns = 0] = constant.dims.map(Number)
  const values = floatValues(constant)
  const layout = rowsLayout([rows, columns])
  const size = rows * columns
  const quantized = new Int8Array(values.length)
  const restored = new Float32Array(values.length)
  const scales = new Float32Array(directions * (perChannel ? rows : 1))
  for (let direction = 0; direction < directions; direction++) {
    const own = values.subarray(direction * size, (direction + 1) * size)
    const ownScales = weightScales(own, { slot: 1, layout, depthwise: false }, { perChannel, rules })
    const integers = quantizeWeights(own, layout, ownScales)
    quantized.set(transpose(integers, rows, columns), direction * size)
    for (let index = 0; index < size; index++)
      restored[direction * size + index] = integers[index]! * ownScales[ownScales.length === 1 ? 0 : Math.floor(index / columns)]!
    scales.set(ownScales, direction * ownScales.length)
  }
  return {
    values: quantized,
    dims: [directions, columns, rows],
    scales,
    scaleDims: perChannel ? [directions, rows] : [directions],
    zeroPoint: 0,
    sqnrDb: roundingLossDb(values, (index) => restored[index]!),
  }
}
