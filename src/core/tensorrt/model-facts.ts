import type { GraphProto, ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import type { Port } from '../inference-runtime.ts'
import { elementTypeName } from '../onnx/data-types.ts'
import { subgraphs } from '../onnx/graph.ts'
import { declaredFact } from '../onnx/shapes.ts'
import { normalizeDomain } from '../onnx/supported-versions.ts'
import { integerValues } from '../onnx/tensor-values.ts'

/** Operators or quantization that no TensorRT takes, with where it was found first. */
export interface TensorRtObstacle {
  /** `com.microsoft.QLinearAdd`, `QuantizeLinear`. */
  readonly op: string
  readonly reason: string
  readonly nodes: number
  readonly firstNode: string
}

/** What decides how an engine is built from a model. */
export interface TensorRtModelFacts {
  /** Inputs a caller gives: weights that are listed as inputs are left out. */
  readonly inputs: readonly Port[]
  readonly hasQdq: boolean
  /** Tensors in half precision are written in the model. */
  readonly hasFloat16: boolean
  readonly obstacles: readonly TensorRtObstacle[]
}

/** Zero points of more channels than this are looked at in part; a model has one for each channel. */
const MOST_ZERO_POINTS = 65_536

/** ONNX operators with integer arithmetic that TensorRT's parser has no importer for. Source: docs/operators.md of onnx/onnx-tensorrt. */
const integerOps: ReadonlySet<string> = new Set(['QLinearConv', 'QLinearMatMul', 'ConvInteger', 'MatMulInteger', 'DynamicQuantizeLinear'])
/** Domains that are ONNX Runtime's own, or of classic machine learning. Other domains may be plugins of the device. */
const foreignDomains: ReadonlySet<string> = new Set(['com.microsoft', 'com.microsoft.nchwc', 'com.ms.internal.nhwc', 'ai.onnx.ml'])

/**
 * Reads from a model what TensorRT has to know, and what it cannot take. Of quantization it takes `QuantizeLinear` and
 * `DequantizeLinear` with signed 8-bit (or 4-bit, or float) values and a zero point of 0. Source: "Working with Quantized Types" in the
 * TensorRT documentation, and docs/operators.md of onnx/onnx-tensorrt.
 */
export function tensorRtModelFacts(model: ModelProto): TensorRtModelFacts {
  const { graph } = model
  if (!graph) return { inputs: [], hasQdq: false, hasFloat16: false, obstacles: [] }
  const weights = new Set(graph.initializer.map(({ name }) => name))
  const inputs = graph.input
    .filter(({ name }) => !weights.has(name))
    .map((value): Port => {
      const { type, shape } = declaredFact(value)
      return { name: value.name, type: type ?? 'float32', shape: shape ?? [] }
    })
  const found = new Map<string, { op: string; reason: string; nodes: number; firstNode: string }>()
  let hasQdq = false
  let hasFloat16 = inputs.some(({ type }) => type === 'float16')
  const visit = (scope: GraphProto, outer: ReadonlyMap<string, TensorProto>) => {
    const constants = new Map([...outer, ...constantsOf(scope)])
    hasFloat16 ||= scope.initializer.some(({ dataType }) => elementTypeName(dataType) === 'float16')
    for (const node of scope.node) {
      if (node.opType === 'QuantizeLinear' || node.opType === 'DequantizeLinear') hasQdq = true
      const reason = obstacleOf(node, constants)
      if (reason !== undefined) {
        const domain = normalizeDomain(node.domain)
        const op = domain === '' ? node.opType : `${domain}.${node.opType}`
        const same = found.get(`${op}\n${reason}`)
        if (same) same.nodes++
        else found.set(`${op}\n${reason}`, { op, reason, nodes: 1, firstNode: node.name || (node.output[0] ?? '') })
      }
      for (const inner of subgraphs(node)) visit(inner, constants)
    }
  }
  visit(graph, new Map())
  return { inputs, hasQdq, hasFloat16, obstacles: [...found.values()] }
}

function constantsOf(graph: GraphProto): [string, TensorProto][] {
  const held = graph.node.flatMap((node): [string, TensorProto][] => {
    const value = node.opType === 'Constant' ? node.attribute.find(({ name }) => name === 'value')?.t : undefined
    return value && node.output[0] !== undefined ? [[node.output[0], value]] : []
  })
  return [...graph.initializer.map((tensor): [string, TensorProto] => [tensor.name, tensor]), ...held]
}

/** Why TensorRT cannot take a node, in words that follow its name; `undefined` where nothing is known against it. */
function obstacleOf(node: NodeProto, constants: ReadonlyMap<string, TensorProto>): string | undefined {
  if (foreignDomains.has(normalizeDomain(node.domain))) return 'is not an operator of ONNX that TensorRT has'
  if (integerOps.has(node.opType)) return 'computes in integers, which TensorRT does with Q/DQ nodes only'
  if (node.opType !== 'QuantizeLinear' && node.opType !== 'DequantizeLinear') return undefined
  const data = constants.get(node.input[0] ?? '')
  const zeroPoint = constants.get(node.input[2] ?? '')
  const types = [...(node.opType === 'DequantizeLinear' && data ? [data.dataType] : []), ...(zeroPoint ? [zeroPoint.dataType] : [])]
  for (const type of types.map(elementTypeName)) {
    if (type === 'uint8' || type === 'int32' || type === 'uint16' || type === 'int16') return `has ${type} values; TensorRT takes int8`
  }
  return zeroPoint && isOff(zeroPoint) ? 'has a zero point other than 0; TensorRT quantizes symmetrically' : undefined
}

function isOff(zeroPoint: TensorProto): boolean {
  if (elementTypeName(zeroPoint.dataType) !== 'int8') return false
  if (zeroPoint.dims.reduce((count, dim) => count * Number(dim), 1) > MOST_ZERO_POINTS) return false
  return integerValues(zeroPoint).some((value) => value !== 0)
}
