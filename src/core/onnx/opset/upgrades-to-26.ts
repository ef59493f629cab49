import { type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { makeAttribute, makeNode } from '../builders.ts'
import { attribute, intAttribute, stringAttribute } from '../graph.ts'
import { makeInt64 } from '../tensor-values.ts'
import {
  addConstant,
  addIndices,
  floatTypeOf,
  type OperatorUpgrade,
  refuse,
  removeAttributes,
  type UpgradeContext,
} from './upgrade-context.ts'
import { upgradeAxes } from './upgrades-to-13.ts'

/** Reductions that took their axes as an attribute until opset 17 (ReduceSum: until 12). */
const REDUCTIONS = [
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
] as const

/**
 * Operators whose meaning or form changed between opset 14 and 26, by version; all others only got types, inputs or
 * attributes whose default is the old meaning (Reshape allowzero, Cast saturate, RNN layout, Pad axes …). Source: ONNX's
 * operator changelog (docs/Changelog.md) and the adapters of its version converter.
 */
export const UPGRADES_TO_26: readonly OperatorUpgrade[] = [
  { op: 'BatchNormalization', since: 14, apply: upgradeBatchNormalization },
  { op: 'RoiAlign', since: 16, apply: upgradeRoiAlign },
  ...REDUCTIONS.map((op) => ({ op, since: 18, apply: upgradeAxes })),
  { op: 'Split', since: 18, apply: upgradeSplit },
  { op: 'DFT', since: 20, apply: upgradeFourierTransform },
  { op: 'GridSample', since: 20, apply: upgradeGridSample },
  { op: 'GroupNormalization', since: 21, apply: upgradeGroupNormalization },
]

/** The outputs behind the first are those of training: there ONNX Runtime normalizes with the batch's own statistics. */
function upgradeBatchNormalization(node: NodeProto, context: UpgradeContext): undefined {
  if (node.output.slice(1).some((name) => name !== '')) refuse(node, context, 'it is in training mode')
  node.output = node.output.slice(0, 1)
}

/** The default went from `output_half_pixel` to `half_pixel`. */
function upgradeRoiAlign(node: NodeProto): undefined {
  if (!attribute(node, 'coordinate_transformation_mode'))
    node.attribute.push(makeAttribute('coordinate_transformation_mode', 'output_half_pixel'))
}

/** Equal parts must be counted. */
function upgradeSplit(node: NodeProto): undefined {
  if ((node.input[1] ?? '') === '' && !attribute(node, 'num_outputs')) node.attribute.push(makeAttribute('num_outputs', node.output.length))
}

/** `axis`, 1 by default, became the third input, whose default is −2. */
function upgradeFourierTransform(node: NodeProto, { root }: UpgradeContext): undefined {
  const axis = addConstant(root, `${node.output[0]}_axis`, (name) => makeInt64(name, [], [intAttribute(node, 'axis', 1)]))
  removeAttributes(node, ['axis'])
  node.input = [node.input[0] ?? '', node.input[1] ?? '', axis]
}

/** Modes lost their dimension: samples may be volumes. */
function upgradeGridSample(node: NodeProto): undefined {
  const modes: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }
  const mode = modes[stringAttribute(node, 'mode', 'bilinear')]
  if (mode === undefined) return
  removeAttributes(node, ['mode'])
  node.attribute.push(makeAttribute('mode', mode))
}

/** Scale and bias went from one value for each group to one for each channel: each is repeated. */
function upgradeGroupNormalization(node: NodeProto, context: UpgradeContext): readonly NodeProto[] {
  const { root, facts } = context
  const [x = '', scale = '', bias = ''] = node.input
  const groups = intAttribute(node, 'num_groups', 0)
  if (groups < 1) refuse(node, context, `it has ${groups} groups`)
  const base = node.output[0] ?? node.name
  const added: NodeProto[] = []
  const add = (op: string, inputs: readonly string[], part: string, attributes = {}): string => {
    const output = root.freshName(`${base}_${part}`)
    added.push(makeNode(op, inputs, [output], attributes, { name: root.freshName(`${node.name}_${part}`) }))
    return output
  }
  const channels = facts.get(x)?.shape[1]
  const copies = (): string => {
    if (typeof channels === 'number') return addIndices(root, `${base}_copies`, [1, channels / groups])
    const perGroup = add(
      'Div',
      [add('Shape', [x], 'channels', { start: 1, end: 2 }), addIndices(root, `${base}_groups`, [groups])],
      'per_group',
    )
    return add('Concat', [addIndices(root, `${base}_one`, [1]), perGroup], 'copies', { axis: 0 })
  }
  if (typeof channels === 'number' && channels % groups !== 0) refuse(node, context, `${channels} channels are not ${groups} equal groups`)
  const shape = copies()
  const column = addIndices(root, `${base}_column`, [-1, 1])
  const list = addIndices(root, `${base}_list`, [-1])
  const repeated = (values: string, part: string): string => {
    const rows = add('Expand', [add('Reshape', [values, column], `${part}_column`), shape], `${part}_rows`)
    return add('Reshape', [rows, list], part)
  }
  node.input = [x, repeated(scale, 'scale'), repeated(bias, 'bias')]
  // Opset 18 computed in the type of its input, opset 21 computes in float32 unless told.
  const type = floatTypeOf(node, context)
  if (type === 'float16') node.attribute.push(makeAttribute('stash_type', TensorProto_DataType.FLOAT16))
  if (type === 'float64') node.attribute.push(makeAttribute('stash_type', TensorProto_DataType.DOUBLE))
  return [...added, node]
}
