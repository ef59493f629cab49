import type { NodeProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataType } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { elementCount, floatValues } from '../onnx/tensor-values.ts'
import type { ValueRange } from './affine-parameters.ts'
import type { MatchContext } from './fusable-units.ts'

/** True for a tensor of float32 values that is made while the model runs. */
export function isFloatActivation(tensor: string | undefined, { graph, facts }: MatchContext): boolean {
  return tensor !== undefined && tensor !== '' && !graph.constant(tensor) && facts.get(tensor)?.type === 'float32'
}

/** The constant float32 tensor of that name. */
export function floatConstant(tensor: string | undefined, { graph }: Pick<MatchContext, 'graph'>): TensorProto | undefined {
  const constant = tensor ? graph.constant(tensor) : undefined
  return constant?.dataType === TensorProto_DataType.FLOAT ? constant : undefined
}

/** What {@link allFinite} found, by the bytes of the tensor: every plan of a model asks again. */
const known = new WeakMap<Uint8Array, boolean>()

/** True when every value is a finite number. */
export function allFinite(tensor: TensorProto): boolean {
  const before = known.get(tensor.rawData)
  if (before !== undefined && tensor.rawData.length > 0) return before
  const values = floatValues(tensor)
  // v − v is 0 for every number and NaN for NaN and infinity; one sum over all is ten times faster than asking each.
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index]! - values[index]!
  known.set(tensor.rawData, sum === 0)
  return sum === 0
}

/** True for a bias of one value for each of `channels` columns, or one for all: [N], [1,N], [1,1,N], a single value. */
export function isRowBias(tensor: TensorProto, channels: number): boolean {
  const count = elementCount(tensor.dims)
  return count === 1 || (count === channels && Number(tensor.dims.at(-1)) === channels)
}

/**
 * A ReLU or Clip that reads `tensor` and nobody else does. With asymmetric quantization the range of its output says the
 * same: values below it become its smallest value. A Clip that leaves zero out says more, because every range holds zero.
 */
export function redundantActivation(tensor: string, context: MatchContext): NodeProto | undefined {
  const { rules } = context
  if (rules.activationSymmetric || rules.placement !== 'around') return undefined
  const reader = onlyReader(tensor, context)
  if (!reader || context.excluded(reader) || reader.input[0] !== tensor) return undefined
  const limits = activationLimits(reader, context.graph)
  return limits && limits.min <= 0 && limits.max >= 0 && limits.min < limits.max ? reader : undefined
}

/** What a ReLU or a Clip with constant limits lets through; `undefined` for other nodes. */
export function activationLimits(node: NodeProto, graph: Graph): ValueRange | undefined {
  if (node.opType === 'Relu') return { min: 0, max: Number.POSITIVE_INFINITY }
  if (node.opType !== 'Clip') return undefined
  const [min, max] = [limit(node.input[1], Number.NEGATIVE_INFINITY, graph), limit(node.input[2], Number.POSITIVE_INFINITY, graph)]
  return min === undefined || max === undefined ? undefined : { min, max }
}

/** The node that alone reads `tensor`, when the tensor is no graph output. */
export function onlyReader(tensor: string, { graph }: MatchContext): NodeProto | undefined {
  const readers = graph.consumers(tensor)
  const [reader] = readers
  return readers.length === 1 && !graph.isGraphOutput(tensor) && reader?.input.filter((name) => name === tensor).length === 1
    ? reader
    : undefined
}

function limit(tensor: string | undefined, missing: number, graph: Graph): number | undefined {
  if (!tensor) return missing
  const constant = floatConstant(tensor, { graph })
  return constant ? floatValues(constant)[0] : undefined
}
