import type { NodeProto } from 'onnx-buf'
import { FidelityAccumulator } from '../metrics/fidelity.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { affineParameters } from './affine-parameters.ts'
import type { FusableUnit, Match, MatchContext } from './fusable-units.ts'
import { dequantize, quantize, valueRange } from './quantize-tensor.ts'
import { floatConstant, isFloatActivation, redundantActivation } from './unit-matching.ts'

/**
 * A constant operand must survive 8 bits with one scale: uniform values do with about 48 dB, normal ones with 40; below 30 dB
 * small values next to a large one are lost.
 */
const LEAST_CONSTANT_DB = 30
/** A factor passes its own relative error on to everything it multiplies; uniform factors around zero have 0.07 (root mean square). */
const MOST_FACTOR_ERROR = 0.1

/** Add, Mul of two activations, or of one and a constant → QLinearAdd, QLinearMul. */
export function matchElementwise(node: NodeProto, context: MatchContext): Match {
  return combining(node, [0, 1], context)
}

/** AveragePool, GlobalAveragePool, LeakyRelu, Sigmoid, Softmax. */
export function matchUnary(node: NodeProto, context: MatchContext): Match {
  if (node.opType === 'AveragePool' && node.attribute.some(({ name, ints }) => name === 'dilations' && ints.some((step) => step !== 1n)))
    return { reason: 'ONNX Runtime has no 8-bit kernel for average pooling with dilations' }
  return combining(node, [0], context)
}

/** Concat of activations (and constants) → QLinearConcat. */
export function matchConcat(node: NodeProto, context: MatchContext): Match {
  return combining(node, [...node.input.keys()], context)
}

/** Where(condition, x, y) → QLinearWhere. */
export function matchWhere(node: NodeProto, context: MatchContext): Match {
  return combining(node, [1, 2], context)
}

/**
 * Residual Add for TensorRT: the operand that does not come from a convolution gets a Q/DQ pair, the other is fused with its
 * convolution in one kernel.
 */
export function matchAddResidual(node: NodeProto, context: MatchContext): Match {
  const fromConv = node.input.map((name) => context.graph.producer(name)?.opType === 'Conv')
  if (!fromConv.includes(true) || !node.input.every((name) => isFloatActivation(name, context))) return undefined
  return { kind: 'combining', node, activations: [fromConv[1] ? 0 : 1], floatOutput: true }
}

function combining(node: NodeProto, slots: readonly number[], context: MatchContext): Match {
  const operands = slots.map((slot) => node.input[slot])
  if (!operands.some((name) => isFloatActivation(name, context))) return undefined
  for (const name of operands) {
    if (isFloatActivation(name, context)) continue
    const constant = floatConstant(name, context)
    if (!constant) return undefined
    if (!survives(floatValues(constant), node.opType === 'Mul', context))
      return { reason: `its constant operand "${name}" loses too much in 8 bits` }
  }
  const activation = redundantActivation(node.output[0]!, context)
  const unit: FusableUnit = { kind: 'combining', node, activations: slots, floatOutput: false, ...(activation ? { activation } : {}) }
  return unit
}

/** Whether constant values are still what they were with one 8-bit scale for all. */
function survives(values: Float32Array, factor: boolean, { rules }: MatchContext): boolean {
  const range = valueRange(values)
  if (!range || !values.every(Number.isFinite)) return false
  const parameters = affineParameters(range, rules.activationType, { symmetric: rules.activationSymmetric })
  const restored = dequantize(quantize(values, parameters, rules.activationType), parameters)
  if (factor) return relativeError(values, restored) <= MOST_FACTOR_ERROR
  const fidelity = new FidelityAccumulator()
  fidelity.add(values, restored)
  return (fidelity.result().sqnrDb ?? Number.POSITIVE_INFINITY) >= LEAST_CONSTANT_DB
}

/** Root mean square of (restored − value) / value; zeros are always exact. */
function relativeError(values: Float32Array, restored: Float32Array): number {
  let sum = 0
  for (const [index, value] of values.entries()) if (value !== 0) sum += (restored[index]! / value - 1) ** 2
  return Math.sqrt(sum / values.length)
}
