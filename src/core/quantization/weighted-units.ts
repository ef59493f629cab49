import type { NodeProto } from 'onnx-buf'
import { intAttribute } from '../onnx/graph.ts'
import type { Match, MatchContext } from './fusable-units.ts'
import { allFinite, floatConstant, isFloatActivation, isRowBias, onlyReader, redundantActivation } from './unit-matching.ts'
import { columnsLayout, convLayout, rowsLayout } from './weight-layout.ts'

const COMPUTED_WEIGHTS = { reason: 'its weights are computed while the model runs' }
const COMPUTED_BIAS = { reason: 'its bias is computed while the model runs' }
const NOT_FINITE = { reason: 'its weights hold NaN or infinity' }

/** Conv with constant weights [M, C/group, k…] → QLinearConv. */
export function matchConv(node: NodeProto, context: MatchContext): Match {
  const [x, w, b = ''] = node.input
  if (!isFloatActivation(x, context)) return undefined
  const weight = floatConstant(w, context)
  if (!weight) return COMPUTED_WEIGHTS
  if (b !== '' && !floatConstant(b, context)) return COMPUTED_BIAS
  if (!allFinite(weight)) return NOT_FINITE
  const dims = weight.dims.map(Number)
  const depthwise = dims[1] === 1 && intAttribute(node, 'group', 1) === dims[0] && dims[0] > 1
  return {
    kind: 'weighted',
    node,
    activations: [0],
    weight: { slot: 1, layout: convLayout(dims), depthwise },
    ...(b === '' ? {} : { biasSlot: 2 }),
    ...activationAfter(node.output[0]!, context),
    floatOutput: false,
  }
}

/** Gemm with constant B and a bias that is one row → QGemm. */
export function matchGemm(node: NodeProto, context: MatchContext): Match {
  const [a, b, c = ''] = node.input
  if (!isFloatActivation(a, context)) return undefined
  const weight = floatConstant(b, context)
  if (!weight) return COMPUTED_WEIGHTS
  const dims = weight.dims.map(Number)
  const layout = intAttribute(node, 'transB', 0) ? rowsLayout(dims) : columnsLayout(dims)
  const bias = floatConstant(c, context)
  if (c !== '' && !bias) return COMPUTED_BIAS
  if (bias && !isRowBias(bias, layout.channels))
    return { reason: 'its bias is a whole matrix; 8-bit kernels take one value for each column' }
  if (!allFinite(weight)) return NOT_FINITE
  return {
    kind: 'weighted',
    node,
    activations: [0],
    weight: { slot: 1, layout, depthwise: false },
    ...(bias ? { biasSlot: 2 } : {}),
    ...activationAfter(node.output[0]!, context),
    floatOutput: true,
  }
}

/** MatMul → QLinearMatMul, or MatMulIntegerToFloat where a bias follows or the output stays float. */
export function matchMatMul(node: NodeProto, context: MatchContext): Match {
  const [a, b] = node.input
  const [output = ''] = node.output
  if (isFloatActivation(a, context) && isFloatActivation(b, context)) {
    return { kind: 'combining', node, activations: [0, 1], ...activationAfter(output, context), floatOutput: true }
  }
  if (!isFloatActivation(a, context)) {
    return isFloatActivation(b, context)
      ? { reason: 'its constant operand is the left one; 8-bit kernels take constant weights on the right' }
      : undefined
  }
  const weight = floatConstant(b, context)
  if (!weight) return undefined
  if (weight.dims.length !== 2) return { reason: `its weights have ${weight.dims.length} dimensions; 8-bit kernels take a matrix` }
  if (!allFinite(weight)) return NOT_FINITE
  const layout = columnsLayout(weight.dims.map(Number))
  const biasAdd = biasAfter(output, layout.channels, context)
  return {
    kind: 'weighted',
    node,
    activations: [0],
    weight: { slot: 1, layout, depthwise: false },
    ...(biasAdd ? { biasAdd } : {}),
    ...activationAfter(biasAdd?.output[0] ?? output, context),
    floatOutput: true,
  }
}

function activationAfter(tensor: string, context: MatchContext): { activation?: NodeProto } {
  const activation = redundantActivation(tensor, context)
  return activation ? { activation } : {}
}

function biasAfter(tensor: string, channels: number, context: MatchContext): NodeProto | undefined {
  const add = onlyReader(tensor, context)
  if (add?.opType !== 'Add' || context.excluded(add)) return undefined
  const bias = floatConstant(
    add.input.find((name) => name !== tensor),
    context,
  )
  return bias && isRowBias(bias, channels) ? add : undefined
}
