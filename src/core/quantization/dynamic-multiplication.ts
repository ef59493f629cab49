import { type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import { floatAttribute, intAttribute } from '../onnx/graph.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'
import { type DynamicContext, type DynamicMatch, isActivation } from './dynamic-match.ts'
import { type DynamicWriter, roundingLossDb, type WeightLoss, type WeightValues, weightProblem } from './dynamic-writer.ts'
import { allFinite, isRowBias } from './unit-matching.ts'
import { columnsLayout } from './weight-layout.ts'
import { biasRow, quantizeWeights, scaled, weightScales } from './weight-quantization.ts'

/** A stack of matrices [K, N], as many as `batch` says. */
interface Matrices {
  readonly values: Float32Array
  readonly batch: readonly number[]
  readonly rows: number
  readonly columns: number
}

/**
 * MatMul and Gemm with constant weights: DynamicQuantizeLinear → MatMulInteger → Cast → Mul (→ Add), standard operators that ONNX
 * Runtime fuses to one DynamicQuantizeMatMul. Weights of more than two dimensions keep a scale for each column of each matrix.
 */
export function matchMultiplication(node: NodeProto, context: DynamicContext): DynamicMatch {
  if (node.opType !== 'MatMul' && node.opType !== 'Gemm') return undefined
  const { graph } = context
  const [activation = '', weightName = ''] = node.input
  if (!isActivation(activation, context))
    return isActivation(weightName, context) && graph.constant(activation)
      ? 'its first factor is the constant one; 8-bit kernels take constants second'
      : undefined
  const tensor = graph.constant(weightName)
  const problem = weightProblem(tensor, allFinite)
  if (!tensor || problem !== undefined) return problem
  const dims = tensor.dims.map(Number)
  if (dims.length < 2 || (node.opType === 'Gemm' && dims.length !== 2))
    return `its weights have ${dims.length} dimensions; 8-bit kernels take matrices`
  return { node, weights: [weightName], write: (writer) => writeMultiplication(node, context, writer) }
}

function writeMultiplication(node: NodeProto, context: DynamicContext, writer: DynamicWriter): WeightLoss[] {
  const { graph } = context
  const [activation = '', tensor = ''] = node.input
  const [output = ''] = node.output
  const gemm = node.opType === 'Gemm'
  const transposed = gemm && intAttribute(node, 'transB', 0) === 1
  const factor = gemm ? floatAttribute(node, 'alpha', 1) : 1
  const stored = writer.storedWeights(graph, tensor, `matrix ${transposed} ${factor}`, () =>
    quantizedMatrices(matrices(graph.constant(tensor)!, transposed, factor), context),
  )
  const read = gemm && intAttribute(node, 'transA', 0) === 1 ? transposedActivation(node, context) : activation
  const [values, scale, zeroPoint] = writer.quantizedActivation(graph, read)
  const [weights, weightScale, weightZeroPoint] = stored.names
  const bias = gemm ? writtenBias(node, context) : undefined
  const sums = graph.freshName(`${output}_accumulated`)
  graph.removeNodes([node])
  graph.insertNodes([
    makeNode('MatMulInteger', [values, weights, zeroPoint, weightZeroPoint], [sums], {}, { name: node.name }),
    ...writer.toFloat(graph, sums, [scale, weightScale], bias, output),
  ])
  return [{ node: node.name, op: node.opType, tensor, sqnrDb: stored.sqnrDb }]
}

function matrices(tensor: Parameters<typeof floatValues>[0], transposed: boolean, factor: number): Matrices {
  const dims = tensor.dims.map(Number)
  const [first = 0, second = 0] = dims.slice(-2)
  const values = scaled(floatValues(tensor), factor)
  if (!transposed) return { values, batch: dims.slice(0, -2), rows: first, columns: second }
  return { values: transpose(values, first, second), batch: [], rows: second, columns: first }
}

/** Symmetric int8 with one scale for each column of each matrix, or a single one. */
function quantizedMatrices({ values, batch, rows, columns }: Matrices, { perChannel, rules }: DynamicContext): WeightValues {
  const layout = columnsLayout([rows, columns])
  const size = rows * columns
  const count = values.length / size
  const matrix = (index: number): Float32Array => values.subarray(index * size, (index + 1) * size)
  const columnScales = Array.from({ length: count }, (_, index) =>
    weightScales(matrix(index), { slot: 1, layout, depthwise: false }, { perChannel, rules }),
  )
  const largest = Float32Array.of(columnScales.reduce((most, [scale = 0]) => Math.max(most, scale), 0))
  const scalesOf = (index: number): Float32Array => (perChannel ? columnScales[index]! : largest)
  const quantized = new Int8Array(values.length)
  for (let index = 0; index < count; index++) quantized.set(quantizeWeights(matrix(index), layout, scalesOf(index)), index * size)
  const scales = perChannel ? Float32Array.from(columnScales.flatMap((own) => [...own])) : largest
  const scaleAt = (index: number): number => scales[perChannel ? Math.floor(index / size) * columns + (index % columns) : 0]!
  return {
    values: quantized,
    dims: [...batch, rows, columns],
    scales,
    scaleDims: perChannel ? (batch.length > 0 ? [...batch, 1, columns] : [columns]) : [],
    zeroPoint: 0,
    sqnrDb: roundingLossDb(values, (index) => quantized[index]! * scaleAt(index)),
  }
}

/** [N, K] → [K, N] */
export function transpose<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const result = new (values.constructor as new (length: number) => T)(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!
  return result
}

function transposedActivation(node: NodeProto, { graph }: DynamicContext): string {
  const [activation = ''] = node.input
  const name = graph.freshName(`${activation}_transposed`)
  graph.insertNodes([makeNode('Transpose', [activation], [name], { perm: [1, 0] }, { name: graph.freshName(`${name}_Transpose`) })])
  return name
}

/** Name of a Gemm's bias times beta: a constant row, in the form that ONNX Runtime fuses, or whatever the node adds. */
function writtenBias(node: NodeProto, { graph, facts }: DynamicContext): string | undefined {
  const [, weightName = '', biasName = ''] = node.input
  const [output = ''] = node.output
  if (biasName === '') return undefined
  const dims = graph.constant(weightName)!.dims.map(Number)
  const columns = dims[intAttribute(node, 'transB', 0) === 1 ? 0 : 1]!
  const factor = floatAttribute(node, 'beta', 1)
  const constant = graph.constant(biasName)
  if (constant?.dataType === TensorProto_DataType.FLOAT && isRowBias(constant, columns)) {
    const row = biasRow(constant, columns, factor)
    const name = graph.freshName(`${output}_bias`)
    graph.addInitializer(makeTensor(name, 'float32', [row.length], row))
    return name
  }
  if (factor === 1 || facts.get(biasName)?.type !== 'float32') return biasName
  const [beta, product] = [graph.freshName(`${output}_beta`), graph.freshName(`${output}_bias`)]
  graph.addInitializer(makeTensor(beta, 'float32', [], Float32Array.of(factor)))
  graph.insertNodes([makeNode('Mul', [biasName, beta], [product], {}, { name: graph.freshName(`${product}_Mul`) })])
  return product
}
