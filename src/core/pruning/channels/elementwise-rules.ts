import type { Dim } from '../../onnx/shapes.ts'
import type { Labels } from './channel-classes.ts'
import type { CouplingRule, NodeCall } from './node-call.ts'

/** Works on every element for itself; further inputs are settings. */
function unary(call: NodeCall): undefined {
  const axes = call.axes(0)
  if (!axes) return call.barrier('has an input of unknown shape')
  if (call.input(1) !== '' && !isSetting(call)) return call.barrier('has settings for each element')
  const elements = call.elements(0)
  if (elements) call.setElements(elements)
  for (const index of call.node.output.keys()) call.setAxes(axes, index)
}

/** Clip's limits, Dropout's ratio: single numbers. CastLike's second input is only looked at for its type. */
function isSetting(call: NodeCall): boolean {
  if (call.node.opType === 'CastLike') return true
  return call.node.input.slice(1).every((name, index) => name === '' || (call.shape(index + 1) ?? [0]).every((dim) => dim === 1))
}

/** Combines elements at the same place, axes aligned at the end: what is labelled on one side must be so on all that are as long. */
function broadcasting(call: NodeCall): undefined {
  const indices = [...call.node.input.keys()].filter((index) => call.input(index) !== '')
  const shapes = indices.map((index) => call.shape(index))
  for (const index of indices) for (const labels of call.elements(index) ?? []) call.freeze(labels, 'computes with the number of channels')
  if (!indices.some((index) => call.labelled(index))) return
  if (shapes.some((shape) => !shape)) return call.barrier('has an input of unknown shape')
  const rank = Math.max(...shapes.map((shape) => shape!.length))
  // One list for each operand, aligned at the end.
  const operands = indices.map((index, position) => {
    const shape = shapes[position]!
    return { index, missing: rank - shape.length, shape, axes: [...call.axes(index)!], constant: call.constant(index) !== undefined }
  })
  const output = Array.from({ length: rank }, (_, axis) => commonLabels(call, operands, axis))
  for (const { index, axes, constant } of operands) if (constant) call.register(index, axes)
  call.setAxes(output)
}

interface Operand {
  readonly missing: number
  readonly shape: readonly Dim[]
  readonly axes: (Labels | undefined)[]
  readonly constant: boolean
}

function commonLabels(call: NodeCall, operands: readonly Operand[], axis: number): Labels | undefined {
  let common: Labels | undefined
  for (const { missing, axes } of operands) {
    const labels = axes[axis - missing]
    if (!labels) continue
    if (common && common.length !== labels.length) {
      // A single channel spread over many: it cannot go, they can.
      const [shorter, longer]: readonly [Labels, Labels] = common.length < labels.length ? [common, labels] : [labels, common]
      call.freeze(shorter, 'repeats one of its channels')
      common = longer
      continue
    }
    if (common && common !== labels) call.classes.tieAll(common, labels, `${call.title} combines it with a tensor that cannot shrink`)
    common ??= labels
  }
  if (!common) return undefined
  for (const { missing, shape, axes, constant } of operands) {
    const at = axis - missing
    if (at < 0 || axes[at] || shape[at] === 1) continue
    if (constant && shape[at] === common.length) axes[at] = common
    else call.freeze(common, 'combines it with a tensor that cannot shrink')
  }
  return common
}

const UNARY = [
  ...['Relu', 'LeakyRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Elu', 'Selu', 'Celu', 'Softplus', 'Softsign', 'ThresholdedRelu'],
  ...['Gelu', 'Mish', 'Swish', 'Erf', 'Exp', 'Log', 'Sqrt', 'Abs', 'Neg', 'Reciprocal', 'Floor', 'Ceil', 'Round', 'Sign', 'Not', 'Shrink'],
  ...['Cast', 'CastLike', 'Identity', 'Dropout', 'Clip', 'IsNaN', 'IsInf', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh'],
  ...['Asinh', 'Acosh', 'Atanh'],
]
const BROADCASTING = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Sum', 'Mean', 'Where', 'PRelu', 'Mod'],
  ...['And', 'Or', 'Xor', 'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'],
]

export const elementwiseCouplingRules: Readonly<Record<string, CouplingRule>> = Object.fromEntries([
  ...UNARY.map((op) => [op, unary]),
  ...BROADCASTING.map((op) => [op, broadcasting]),
])
