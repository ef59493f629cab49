import { create } from '@bufbuild/protobuf'
import { type TensorProto, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf'
import { floatToHalf } from '../../float16.ts'
import { makeNode } from '../../onnx/builders.ts'
import { elementTypeNumber } from '../../onnx/data-types.ts'
import { floatAttribute, type Graph } from '../../onnx/graph.ts'
import { elementCount, floatValues, makeTensor } from '../../onnx/tensor-values.ts'
import { biasRow } from '../weight-quantization.ts'
import type { IntegerGrid } from './integer-grid.ts'
import type { QuantizedMatrix } from './matrix-rounding.ts'
import type { NodeInsertions } from './node-insertions.ts'
import type { LookupTable, WeightLayer } from './weight-layers.ts'

/**
 * Stores a matrix as DequantizeLinear takes it: values [K, N] (4-bit ones packed two to a byte, the first in the low half), scales
 * [N] or [⌈K / block⌉, N]. Each node gets a copy of its own in its own graph: ONNX Runtime (1.30) fuses no weights that two
 * nodes read, and does not load a model in which a sub-graph's weights lie in the graph around it.
 *
 * @returns names of values, scales and zero points
 */
export function storeMatrix(layer: WeightLayer, matrix: QuantizedMatrix, grid: IntegerGrid, blockSize: number): string[] {
  const { scope, weightName, size, channels } = layer
  const groups = matrix.scales.length / channels
  const fresh = (part: string): string => scope.freshName(`${weightName}_${part}`)
  const inputs = [fresh('quantized'), fresh('scale')] as [string, string]
  const scaleDims = blockSize === 0 ? [channels] : [groups, channels]
  scope.addInitializer(integerTensor(inputs[0], grid.type, [size, channels], turned(matrix.values, channels, size)))
  scope.addInitializer(floatTensor(inputs[1], scaleDims, turned(matrix.scales, channels, groups), isHalf(layer.tensor)))
  if (!matrix.zeroPoints) return inputs
  const zeroPoints = fresh('zero_point')
  scope.addInitializer(integerTensor(zeroPoints, grid.type, scaleDims, turned(matrix.zeroPoints, channels, groups)))
  return [...inputs, zeroPoints]
}

/**
 * Makes a MatMul or Gemm read its weights through a DequantizeLinear, and brings Gemm into the one form that is fused: nothing
 * transposed, no factors, a bias of N values.
 *
 * @param stored from {@link storeMatrix}
 * @returns the name of the DequantizeLinear
 */
export function readMatrix(layer: WeightLayer, stored: readonly string[], blockSize: number, insertions: NodeInsertions): string {
  const { scope, node, weightName } = layer
  const weights = scope.freshName(`${weightName}_dequantized`)
  const name = scope.freshName(`${node.name}_DequantizeLinear`)
  const attributes: Record<string, number> = blockSize === 0 ? { axis: 1 } : { axis: 0, block_size: blockSize }
  insertions.addBefore(scope, node, [makeNode('DequantizeLinear', stored, [weights], attributes, { name })])
  if (node.opType === 'Gemm') plainGemm(layer, weights)
  else node.input = [node.input[0]!, weights]
  return name
}

function plainGemm({ scope, node, tensor, channels }: WeightLayer, weights: string): void {
  const [activation = '', , biasName = ''] = node.input
  const beta = floatAttribute(node, 'beta', 1)
  node.attribute = []
  node.input = [activation, weights]
  if (biasName === '' || beta === 0) return
  const bias = scope.constant(biasName)!
  const plain = beta === 1 && bias.dims.length === 1 && elementCount(bias.dims) === channels
  node.input.push(plain ? biasName : addRow(scope, biasName, biasRow(bias, channels, beta), isHalf(tensor)))
}

function addRow(scope: Graph, base: string, values: Float32Array, half: boolean): string {
  const name = scope.freshName(`${base}_row`)
  scope.addInitializer(floatTensor(name, [values.length], values, half))
  return name
}

/** A lookup table in 8 bits with one scale for each row. */
export interface StoredTable {
  readonly inputs: readonly [string, string]
  /** 20·log10(‖w‖ / ‖w − ŵ‖); null when nothing changed. */
  readonly sqnrDb: number | null
}

/** Stores a table as int8 [V, …] and scales [V, 1, …]: largest |w| of a row / 127. */
export function storeTable({ scope, weightName, tensor }: LookupTable): StoredTable {
  const owner = ownerOf(scope, weightName)
  const dims = tensor.dims.map(Number)
  const [rows = 0] = dims
  const values = floatValues(tensor)
  const length = values.length / rows
  const [quantized, scales] = [new Int8Array(values.length), new Float32Array(rows)]
  let [signal, noise] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * length, (row + 1) * length)
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    // A row of zeros, or one too small for a float16 scale, becomes zeros.
    const scale = largest / 127 < (isHalf(tensor) ? 2 ** -14 : 2 ** -126) ? 1 : Math.fround(largest / 127)
    scales[row] = scale
    for (const [index, value] of part.entries()) {
      const integer = Math.round(value / scale)
      quantized[row * length + index] = integer
      signal += value * value
      noise += (value - integer * scale) ** 2
    }
  }
  const inputs = [owner.freshName(`${weightName}_quantized`), owner.freshName(`${weightName}_scale`)] as const
  owner.addInitializer(integerTensor(inputs[0], 'int8', dims, quantized))
  owner.addInitializer(floatTensor(inputs[1], [rows, ...dims.slice(1).map(() => 1)], scales, isHalf(tensor)))
  return { inputs, sqnrDb: noise === 0 ? null : 10 * Math.log10(signal / noise) }
}

/** Gather → Cast → Mul: only the rows that were looked up become floats. DequantizeLinear knows no scales that are looked up, too. */
export function readTable({ scope, node, tensor }: LookupTable, { inputs }: StoredTable, insertions: NodeInsertions): void {
  const [output = ''] = node.output
  const indices = node.input[1]!
  const [rows, floats, scales] = ['rows', 'floats', 'scales'].map((part) => scope.freshName(`${output}_${part}`)) as [
    string,
    string,
    string,
  ]
  const fresh = (op: string): { name: string } => ({ name: scope.freshName(`${node.name}_${op}`) })
  node.input = [inputs[0], indices]
  node.output = [rows]
  insertions.addAfter(scope, node, [
    makeNode('Gather', [inputs[1], indices], [scales], { axis: 0 }, fresh('scales')),
    makeNode('Cast', [rows], [floats], { to: tensor.dataType }, fresh('Cast')),
    makeNode('Mul', [floats, scales], [output], {}, fresh('Mul')),
  ])
}

/** The graph that holds a constant which `scope` reads: itself or one around it. */
function ownerOf(scope: Graph, name: string): Graph {
  let owner = scope
  while (owner.parent && !owner.initializer(name) && !owner.producer(name)) owner = owner.parent
  return owner
}

function isHalf({ dataType }: TensorProto): boolean {
  return dataType === TensorProto_DataType.FLOAT16
}

function floatTensor(name: string, dims: readonly number[], values: Float32Array, half: boolean): TensorProto {
  return half ? makeTensor(name, 'float16', dims, Uint16Array.from(values, floatToHalf)) : makeTensor(name, 'float32', dims, values)
}

function integerTensor(name: string, type: IntegerGrid['type'], dims: readonly number[], values: Int8Array): TensorProto {
  if (type === 'int8') return makeTensor(name, type, dims, values)
  const packed = new Uint8Array(Math.ceil(values.length / 2))
  for (let index = 0; index < values.length; index++) packed[index >> 1]! |= (values[index]! & 15) << (index % 2 === 0 ? 0 : 4)
  return create(TensorProtoSchema, { name, dataType: elementTypeNumber(type), dims: dims.map(BigInt), rawData: packed })
}

/** [rows, columns] → [columns, rows] */
function turned<T extends Int8Array | Float32Array>(values: T, rows: number, columns: number): T {
  const result = values.slice() as T
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!
  return result
}
