import { type ModelProto, type NodeProto, TensorProto_DataType as T, type TensorProto } from 'onnx-buf'
import { FidelityAccumulator } from '../metrics/fidelity.ts'
import { Graph, intAttribute } from '../onnx/graph.ts'
import { elementCount, floatValues, integerValues } from '../onnx/tensor-values.ts'

/** A weight of the float model and the DequantizeLinear that gives it in the build. */
export interface QuantizedWeight {
  readonly node: string
  readonly op: string
  /** Its name in the float model. */
  readonly tensor: string
  /** What DequantizeLinear gives in the build. */
  readonly after: string
}

/** What rounding did to a weight; the contract's `weightErrorSchema` describes the same. Null: no difference. */
export interface WeightErrorReport {
  readonly node: string
  readonly op: string
  readonly tensor: string
  readonly sqnrDb: number | null
}

const INTEGER_WEIGHTS: ReadonlySet<number> = new Set<number>([T.INT8, T.UINT8, T.INT4, T.UINT4, T.INT16, T.UINT16])

/**
 * Signal to noise of each rounded weight, in the order of `weights`. What cannot be compared (no constants, another number of
 * values) is left out.
 */
export function reportWeights(
  float: ModelProto,
  build: ModelProto,
  weights: readonly QuantizedWeight[] = findQuantizedWeights(float, build),
): WeightErrorReport[] {
  const [source, quantized] = [new Graph(float), new Graph(build)]
  return weights.flatMap(({ node, op, tensor, after }) => {
    const reference = source.constant(tensor)
    const actual = dequantizedConstant(quantized, after)
    if (!reference || !isFloat(reference) || !actual || elementCount(reference.dims) !== actual.length) return []
    const fidelity = new FidelityAccumulator()
    fidelity.add(floatValues(reference), actual)
    return { node, op, tensor, sqnrDb: fidelity.result().sqnrDb }
  })
}

/** Weights that nodes of both models' main graphs read in the same place, float here, DequantizeLinear of a constant there. Biases are left out. */
export function findQuantizedWeights(float: ModelProto, build: ModelProto): QuantizedWeight[] {
  const [source, quantized] = [new Graph(float), new Graph(build)]
  const nodes = new Map(source.nodes.filter(({ name }) => name !== '').map((node) => [node.name, node]))
  return quantized.nodes.flatMap((node) => {
    const before = nodes.get(node.name)
    if (!before || before.opType !== node.opType) return []
    return node.input.flatMap((after, slot) => {
      const tensor = before.input[slot] ?? ''
      const stored = quantized.constant(dequantizer(quantized, after)?.input[0] ?? '')
      const constant = source.constant(tensor)
      if (!stored || !INTEGER_WEIGHTS.has(stored.dataType) || !constant || !isFloat(constant)) return []
      return { node: node.name, op: node.opType, tensor, after }
    })
  })
}

/**
 * Values of DequantizeLinear over constants: (x − zero point) × scale, for one scale, one for each index along `axis`, or one for
 * each block along it (ONNX, DequantizeLinear 10, 13, 21). Undefined when any of it is not constant.
 */
export function dequantizedConstant(graph: Graph, name: string): Float32Array | undefined {
  const node = dequantizer(graph, name)
  const [stored, scales, zeroPoints] = (node?.input ?? []).map((input) => graph.constant(input))
  if (!node || !stored || !scales || !isFloat(scales)) return undefined
  const dims = stored.dims.map(Number)
  const values = smallIntegers(stored)
  const scale = floatValues(scales)
  const zero = zeroPoints ? smallIntegers(zeroPoints) : undefined
  const axis = (intAttribute(node, 'axis', 1) + dims.length) % Math.max(1, dims.length)
  const length = dims[axis] ?? 1
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const block = intAttribute(node, 'block_size', 0)
  const blocks = block > 0 ? Math.ceil(length / block) : 0
  const expected = block > 0 ? (values.length / Math.max(1, length)) * blocks : scale.length === 1 ? 1 : length
  if (scale.length !== expected || (zero && zero.length !== scale.length)) return undefined
  return Float32Array.from(values, (value, index) => {
    const along = Math.floor(index / inner) % length
    const outer = Math.floor(index / (inner * length))
    const place = scale.length === 1 ? 0 : block > 0 ? (outer * blocks + Math.floor(along / block)) * inner + (index % inner) : along
    return (value - (zero?.[place] ?? 0)) * (scale[place] as number)
  })
}

function dequantizer(graph: Graph, tensor: string): NodeProto | undefined {
  const node = graph.producer(tensor)
  return node?.opType === 'DequantizeLinear' ? node : undefined
}

function isFloat({ dataType }: TensorProto): boolean {
  return dataType === T.FLOAT || dataType === T.FLOAT16 || dataType === T.DOUBLE
}

/** Integers of a tensor; 4-bit ones lie two in a byte, the first in the low half (onnx.proto, TensorProto.raw_data). */
function smallIntegers(tensor: TensorProto): number[] {
  const signed = tensor.dataType === T.INT4
  if (!signed && tensor.dataType !== T.UINT4) return integerValues(tensor)
  const bytes = tensor.int32Data.length > 0 ? Uint8Array.from(tensor.int32Data) : tensor.rawData
  return Array.from({ length: elementCount(tensor.dims) }, (_, index) => {
    const bits = ((bytes[index >> 1] ?? 0) >> (index % 2 === 0 ? 0 : 4)) & 15
    return signed && bits > 7 ? bits - 16 : bits
  })
}
