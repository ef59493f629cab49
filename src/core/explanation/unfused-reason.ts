import { type NodeProto, TensorProto_DataType as T, type TensorProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import type { Machine } from './slowdown-context.ts'

/** Relative difference of float32 products that still counts as equal; ONNX Runtime compares with 1e-6 relative and absolute. */
const SCALE_TOLERANCE = 1e-5

/**
 * Why ONNX Runtime (1.30, `qdq_selectors.cc`) does not turn a Conv, MatMul or Gemm between DequantizeLinear and QuantizeLinear into
 * an 8-bit kernel.
 *
 * @param graph the build as written
 * @returns the reason as the end of a sentence ("… because …"), undefined for other nodes and for an activation that does not come from DequantizeLinear
 */
export function unfusedReason(graph: Graph, node: NodeProto, machine: Machine): string | undefined {
  const activation = /^(Conv|MatMul|Gemm)$/.test(node.opType) ? dequantizer(graph, node.input[0]) : undefined
  if (!activation) return undefined
  const weight = dequantizer(graph, node.input[1])
  if (!weight) return 'its weights are not stored in 8 bits'
  const type = storedType(graph, activation)
  if (type === T.INT16 || type === T.UINT16) return 'its activations have 16 bits, for which there is no kernel'
  if (![activation, weight].every((entry) => graph.constant(entry.input[1] ?? ''))) return 'a scale is computed while the model runs'
  return (
    biasReason(graph, node, activation, weight) ??
    signedReason(graph, activation, type, machine) ??
    outputReason(graph, node) ??
    gemmReason(node, activation, weight) ??
    'ONNX Runtime does not accept its Q/DQ pairs'
  )
}

function biasReason(graph: Graph, node: NodeProto, activation: NodeProto, weight: NodeProto): string | undefined {
  const bias = dequantizer(graph, node.input[2])
  const stored = bias && graph.constant(bias.input[0] ?? '')
  if (!bias || stored?.dataType !== T.INT32) return undefined
  const [x, w, b] = [activation, weight, bias].map((entry) => scales(graph.constant(entry.input[1] ?? '')))
  if (!x || !w || !b || x.length !== 1) return undefined
  const wrong = Array.from(b).some((scale, index) => {
    const product = x[0]! * (w[w.length === 1 ? 0 : index] ?? Number.NaN)
    return !(Math.abs(scale - product) <= SCALE_TOLERANCE * Math.abs(product))
  })
  return wrong || (w.length > 1 && b.length !== w.length)
    ? 'the scale of its bias is not the product of the scales of activation and weight'
    : undefined
}

function signedReason(graph: Graph, activation: NodeProto, type: number, machine: Machine): string | undefined {
  if (type !== T.INT8 || machine.architecture !== 'x64') return undefined
  const readers = graph.consumers(activation.input[0] ?? '').filter(({ opType }) => opType === 'DequantizeLinear')
  const shared = readers.length > 1 || readers.some(({ output }) => graph.consumers(output[0] ?? '').length > 1)
  return shared
    ? 'its activations are int8 and several nodes read them: x64 kernels want uint8, and ONNX Runtime only changes tensors with one reader'
    : undefined
}

function outputReason(graph: Graph, node: NodeProto): string | undefined {
  const output = node.output[0] ?? ''
  const readers = graph.consumers(output)
  // MatMul and Gemm have kernels that give out float32.
  if (graph.isGraphOutput(output) && node.opType === 'Conv') return 'its output is an output of the model and not quantized'
  if (readers.some(({ opType }) => opType === 'QuantizeLinear')) {
    return readers.length > 1 ? 'other nodes read its output before it is quantized' : undefined
  }
  const [next] = readers
  const quantizedBehind = next && graph.consumers(next.output[0] ?? '').some(({ opType }) => opType === 'QuantizeLinear')
  if (readers.length === 1 && next && quantizedBehind) {
    const limits = next.opType === 'Relu' || next.opType === 'Clip'
    return limits
      ? `${next.opType} stands between it and QuantizeLinear, and the quantized range holds more than ${next.opType} lets through`
      : `${next.opType} stands between it and QuantizeLinear`
  }
  return node.opType === 'Conv' ? 'its output is not quantized' : undefined
}

function gemmReason(node: NodeProto, ...entries: readonly NodeProto[]): string | undefined {
  const complete = entries.every(({ input }) => (input[2] ?? '') !== '')
  return node.opType === 'Gemm' && !complete ? 'the 8-bit kernel of Gemm wants zero points, and one is left out' : undefined
}

function dequantizer(graph: Graph, tensor: string | undefined): NodeProto | undefined {
  const node = graph.producer(tensor ?? '')
  return node?.opType === 'DequantizeLinear' ? node : undefined
}

/** Type of the stored integers: that of the zero point; without one uint8 (ONNX, QuantizeLinear). */
function storedType(graph: Graph, node: NodeProto): number {
  return graph.constant(node.input[2] ?? '')?.dataType ?? T.UINT8
}

function scales(tensor: TensorProto | undefined): Float32Array | undefined {
  return tensor?.dataType === T.FLOAT ? floatValues(tensor) : undefined
}
