import type { NodeProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataType } from 'onnx-buf'
import { elementCount, floatValues } from '../onnx/tensor-values.ts'
import type { MatchContext } from './fusable-units.ts'

/** True for a tensor of float32 values that is made while the model runs. */
export function isFloatActivation(tensor: string | undefined, { graph, facts }: MatchContext): boolean {
  return tensor !== undefined && tensor !== '' && !graph.constant(tensor) && facts.get(tensor)?.type === 'float32'
}

/** The constant float32 tensor of that name. */
export function floatConstant(tensor: string | undefined, { graph }: MatchContext): TensorProto | undefined {
  const constant = tensor ? graph.constant(tensor) : undefined
  return constant?.dataType === TensorProto_DataType.FLOAT ? constant : undefined
}

/** True when every value is a finite number. */
export function allFinite(tensor: TensorProto): boolean {
  const values = floatValues(tensor)
  // v − v is 0 for every number and NaN for NaN and infinity; one sum over all is ten times faster than asking each.
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index]! - values[index]!
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
  if (!reader || context.excluded(reader)) return undefined
  if (reader.opType === 'Relu') return reader
  if (reader.opType !== 'Clip' || reader.input[0] !== tensor) return undefined
  const [min, max] = [limit(reader.input[1], Number.NEGATIVE_INFINITY, context), limit(reader.input[2], Number.POSITIVE_INFINITY, context)]
  return min !== undefined && max !== undefined && min <= 0 && max >= 0 && min < max ? reader : undefined
}

/** The node that alone reads `tensor`, when the tensor is no graph output. */
export function onlyReader(tensor: string, { graph }: MatchContext): NodeProto | undefined {
  const readers = graph.consumers(tensor)
  const [reader] = readers
  return readers.length === 1 && !graph.isGraphOutput(tensor) && reader?.input.filter((name) => name === tensor).length === 1
    ? reader
    : undefined
}

function limit(tensor: string | undefined, missing: number, context: MatchContext): number | undefined {
  if (!tensor) return missing
  const constant = floatConstant(tensor, context)
  return constant ? floatValues(constant)[0] : undefined
}
