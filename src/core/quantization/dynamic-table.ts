import { type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import { intAttribute } from '../onnx/graph.ts'
import { elementCount, floatValues } from '../onnx/tensor-values.ts'
import { affineParameters } from './affine-parameters.ts'
import type { DynamicContext, DynamicMatch } from './dynamic-match.ts'
import { type DynamicWriter, roundingLossDb, type WeightLoss, type WeightValues, weightProblem } from './dynamic-writer.ts'
import { fullRangeScales } from './pair-safe-scale.ts'
import { dequantize, quantize, valueRange } from './quantize-tensor.ts'
import { allFinite } from './unit-matching.ts'
import { rowsLayout } from './weight-layout.ts'
import { quantizeWeights } from './weight-quantization.ts'

/** Values from which on a table is worth three more nodes in the file and some microseconds: 64 KiB of float32, 48 of them saved. */
const SMALLEST_TABLE = 16_384
/** Shorter rows would save less than a scale of their own takes. */
const SHORTEST_ROW = 8

/**
 * Gather of rows of a constant table (embeddings): the table in 8 bits, and behind the Gather what makes float32 of the rows.
 * With a scale for each row that is Cast → Mul by the scales, gathered with the same indices; with one for all, DequantizeLinear.
 * Nothing is multiplied in 8 bits, so scales use the full range. Measured: 7 dB better by row, 128 rows of 256 take 24 µs instead
 * of 17 (float32: 16).
 */
export function matchTable(node: NodeProto, context: DynamicContext): DynamicMatch {
  if (node.opType !== 'Gather') return undefined
  const { graph } = context
  const [tableName = '', indices = ''] = node.input
  const table = graph.constant(tableName)
  if (table?.dataType !== TensorProto_DataType.FLOAT || graph.constant(indices)) return undefined
  const rank = table.dims.length
  if (rank < 2 || elementCount(table.dims) < SMALLEST_TABLE) return undefined
  const problem = weightProblem(table, allFinite)
  if (problem !== undefined) return problem.replace('weights', 'table values')
  const axis = intAttribute(node, 'axis', 0)
  if (axis !== 0 && axis !== -rank) return `it looks up along dimension ${axis} of its table; only rows are stored in 8 bits`
  return { node, weights: [tableName], write: (writer) => writeTable(node, context, writer) }
}

function writeTable(node: NodeProto, context: DynamicContext, writer: DynamicWriter): WeightLoss[] {
  const { graph } = context
  const [tensor = '', indices = ''] = node.input
  const [output = ''] = node.output
  const dims = graph.constant(tensor)!.dims.map(Number)
  const byRow = context.perChannel && elementCount(dims.slice(1)) >= SHORTEST_ROW
  const { names, sqnrDb } = writer.storedWeights(graph, tensor, 'table', () => quantizedRows(tensor, dims, byRow, context))
  const [values, scale, zeroPoint] = names
  const fresh = (part: string): string => graph.freshName(`${output}_${part}`)
  const rows = fresh('rows')
  graph.removeNodes([node])
  graph.insertNodes([makeNode('Gather', [values, indices], [rows], {}, { name: node.name })])
  if (byRow) {
    const [numbers, scales] = [fresh('numbers'), fresh('scales')]
    graph.insertNodes([
      makeNode('Cast', [rows], [numbers], { to: TensorProto_DataType.FLOAT }, { name: fresh('Cast') }),
      makeNode('Gather', [scale, indices], [scales], {}, { name: fresh('Gather_scales') }),
      makeNode('Mul', [numbers, scales], [output], {}, { name: fresh('Mul') }),
    ])
  } else {
    graph.insertNodes([makeNode('DequantizeLinear', [rows, scale, zeroPoint], [output], {}, { name: fresh('DequantizeLinear') })])
  }
  return [{ node: node.name, op: node.opType, tensor, sqnrDb }]
}

/** Symmetric int8 with a scale for each row, or uint8 with one range for all: what ONNX Runtime's Python quantizer does. */
function quantizedRows(tensor: string, dims: readonly number[], byRow: boolean, { graph }: DynamicContext): WeightValues {
  const values = floatValues(graph.constant(tensor)!)
  if (!byRow) return wholeTable(values, dims)
  const [rows = 0, ...rest] = dims
  const length = elementCount(rest)
  const layout = rowsLayout([rows, length])
  const scales = fullRangeScales(values, layout)
  const quantized = quantizeWeights(values, layout, scales)
  return {
    values: quantized,
    dims,
    scales,
    scaleDims: [rows, ...rest.map(() => 1)],
    zeroPoint: 0,
    zeroPointDims: [],
    sqnrDb: roundingLossDb(values, (index) => quantized[index]! * scales[Math.floor(index / length)]!),
  }
}

function wholeTable(values: Float32Array, dims: readonly number[]): WeightValues {
  const parameters = affineParameters(valueRange(values)!, 'uint8')
  const quantized = quantize(values, parameters, 'uint8')
  const restored = dequantize(quantized, parameters)
  const { scale, zeroPoint } = parameters
  const sqnrDb = roundingLossDb(values, (index) => restored[index]!)
  return { values: quantized, dims, scales: Float32Array.of(scale), scaleDims: [], zeroPoint, sqnrDb }
}
