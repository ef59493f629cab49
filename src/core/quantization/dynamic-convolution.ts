import { create } from '@bufbuild/protobuf'
import { type NodeProto, NodeProtoSchema, TensorProto_DataType } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import { floatValues, makeInt64, makeTensor } from '../onnx/tensor-values.ts'
import { roundHalfToEven } from './affine-parameters.ts'
import { type DynamicContext, type DynamicMatch, isActivation } from './dynamic-match.ts'
import { type DynamicWriter, roundingLossDb, type WeightLoss, type WeightValues, weightProblem } from './dynamic-writer.ts'
import { fullRangeScales, sharedScale } from './pair-safe-scale.ts'
import { allFinite } from './unit-matching.ts'
import { rowsLayout } from './weight-layout.ts'

/** ConvInteger takes one zero point for all channels; in the middle of uint8 it serves every symmetric scale. */
const MIDDLE = 128

/**
 * Conv with constant weights: DynamicQuantizeLinear → ConvInteger → Cast → Mul (→ Add). Weights are uint8 with zero point 128 and a
 * scale for each channel, applied to the sums: ONNX Runtime multiplies uint8 with uint8 four times as fast as with int8 here, and
 * without saturating, so that scales use the full range.
 */
export function matchConvolution(node: NodeProto, context: DynamicContext): DynamicMatch {
  if (node.opType !== 'Conv') return undefined
  const [activation = '', weights = ''] = node.input
  if (!isActivation(activation, context)) return undefined
  const tensor = context.graph.constant(weights)
  const problem = weightProblem(tensor, allFinite)
  if (problem !== undefined) return problem
  return { node, weights: [weights], write: (writer) => writeConvolution(node, context, writer) }
}

function writeConvolution(node: NodeProto, context: DynamicContext, writer: DynamicWriter): WeightLoss[] {
  const { graph } = context
  const [activation = '', tensor = '', biasName = ''] = node.input
  const [output = ''] = node.output
  const dims = graph.constant(tensor)!.dims.map(Number)
  const { names, sqnrDb } = writer.storedWeights(graph, tensor, 'kernel', () => quantizedKernel(tensor, dims, context))
  const [weights, weightScale, weightZeroPoint] = names
  const [values, scale, zeroPoint] = writer.quantizedActivation(graph, activation)
  const bias = biasName === '' ? undefined : alongChannels(biasName, dims, output, context)
  const sums = graph.freshName(`${output}_accumulated`)
  graph.removeNodes([node])
  graph.insertNodes([
    create(NodeProtoSchema, {
      name: node.name,
      opType: 'ConvInteger',
      input: [values, weights, zeroPoint, weightZeroPoint],
      output: [sums],
      attribute: node.attribute,
    }),
    ...writer.toFloat(graph, sums, [scale, weightScale], bias, output),
  ])
  return [{ node: node.name, op: node.opType, tensor, sqnrDb }]
}

/** A bias [M] as [M, 1, …], which broadcasts over the positions of the sums. */
function alongChannels(bias: string, kernelDims: readonly number[], output: string, { graph }: DynamicContext): string {
  const shape = [kernelDims[0]!, ...kernelDims.slice(2).map(() => 1)]
  const name = graph.freshName(`${output}_bias`)
  const constant = graph.constant(bias)
  if (constant?.dataType === TensorProto_DataType.FLOAT) {
    graph.addInitializer(makeTensor(name, 'float32', shape, floatValues(constant)))
    return name
  }
  const shapeName = graph.freshName(`${name}_shape`)
  graph.addInitializer(makeInt64(shapeName, [shape.length], shape))
  graph.insertNodes([makeNode('Reshape', [bias, shapeName], [name], {}, { name: graph.freshName(`${name}_Reshape`) })])
  return name
}

/** round(w / s[c]) + 128 */
function quantizedKernel(tensor: string, dims: readonly number[], { graph, perChannel }: DynamicContext): WeightValues {
  const values = floatValues(graph.constant(tensor)!)
  const [channels = 0, ...rest] = dims
  const size = values.length / channels
  const own = fullRangeScales(values, rowsLayout([channels, size]))
  const scales = perChannel ? own : sharedScale(own)
  const scaleAt = (index: number): number => scales[perChannel ? Math.floor(index / size) : 0]!
  const quantized = Uint8Array.from(values, (value, index) => roundHalfToEven(Math.fround(value / scaleAt(index))) + MIDDLE)
  return {
    values: quantized,
    dims,
    scales,
    scaleDims: perChannel ? [channels, ...rest.slice(1).map(() => 1)] : [],
    zeroPoint: MIDDLE,
    zeroPointDims: [],
    sqnrDb: roundingLossDb(values, (index) => (quantized[index]! - MIDDLE) * scaleAt(index)),
  }
}
