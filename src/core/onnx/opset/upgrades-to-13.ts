import type { NodeProto } from 'onnx-buf'
import { makeAttribute, makeNode } from '../builders.ts'
import { attribute, floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../graph.ts'
import { floatValues, makeTensor } from '../tensor-values.ts'
import {
  addConstant,
  addScalar,
  attributesToInputs,
  floatTypeOf,
  type NodeUpgrade,
  type OperatorUpgrade,
  refuse,
  removeAttributes,
  type UpgradeContext,
} from './upgrade-context.ts'

/**
 * Operators whose meaning or form changed between opset 7 and 13, by version. Source: ONNX's operator changelog
 * (docs/Changelog.md) and the adapters of its version converter.
 */
export const UPGRADES_TO_13: readonly OperatorUpgrade[] = [
  { op: 'Scan', since: 9, apply: (node, context) => refuse(node, context, 'its batch dimension was removed in opset 9') },
  { op: 'BatchNormalization', since: 9, apply: upgradeBatchNormalization },
  { op: 'MeanVarianceNormalization', since: 9, apply: upgradeMeanVarianceNormalization },
  { op: 'Upsample', since: 10, apply: upsampleToResize },
  { op: 'Slice', since: 10, apply: upgradeSlice },
  { op: 'TopK', since: 10, apply: inputsFrom(['k']) },
  { op: 'Resize', since: 11, apply: upgradeResize },
  { op: 'Clip', since: 11, apply: upgradeClip },
  { op: 'Pad', since: 11, apply: upgradePad },
  { op: 'Scatter', since: 11, apply: renameTo('ScatterElements') },
  { op: 'Dropout', since: 12, apply: dropAttribute('ratio') },
  { op: 'Squeeze', since: 13, apply: upgradeAxes },
  { op: 'Unsqueeze', since: 13, apply: inputsFrom(['axes']) },
  { op: 'ReduceSum', since: 13, apply: upgradeAxes },
  { op: 'Split', since: 13, apply: inputsFrom(['split']) },
  { op: 'Softmax', since: 13, apply: upgradeSoftmax },
  { op: 'LogSoftmax', since: 13, apply: upgradeSoftmax },
  { op: 'Hardmax', since: 13, apply: upgradeSoftmax },
  { op: 'Resize', since: 13, apply: upgradeOptionalResizeInputs },
]

/** `axes` from attribute to input; an empty list has always meant all axes, which is written by leaving it out. */
export function upgradeAxes(node: NodeProto, context: UpgradeContext): undefined {
  if (intsAttribute(node, 'axes')?.length === 0) removeAttributes(node, ['axes'])
  return attributesToInputs(node, context, ['axes'], 1)
}

function inputsFrom(names: readonly string[]): NodeUpgrade {
  return (node, context) => attributesToInputs(node, context, names, 1)
}

function upgradeBatchNormalization(node: NodeProto, context: UpgradeContext): undefined {
  if (intAttribute(node, 'spatial', 1) === 0) refuse(node, context, 'it normalizes every element on its own (spatial = 0)')
  removeAttributes(node, ['spatial'])
}

/** Before opset 9 it was experimental: channels together or apart, images only. */
function upgradeMeanVarianceNormalization(node: NodeProto, context: UpgradeContext): undefined {
  if (intAttribute(node, 'normalize_variance', 1) === 0) refuse(node, context, 'it leaves the variance as it is')
  const acrossChannels = intAttribute(node, 'across_channels', 0) === 1
  removeAttributes(node, ['across_channels', 'normalize_variance'])
  node.attribute.push(makeAttribute('axes', acrossChannels ? [0, 1, 2, 3] : [0, 2, 3]))
}

function upgradeSlice(node: NodeProto, context: UpgradeContext): undefined {
  const starts = intsAttribute(node, 'starts') ?? []
  const axes = intsAttribute(node, 'axes')
  if (!axes || axes.length === 0) {
    removeAttributes(node, ['axes'])
    node.attribute.push(
      makeAttribute(
        'axes',
        starts.map((_, axis) => axis),
      ),
    )
  }
  return attributesToInputs(node, context, ['starts', 'ends', 'axes'], 1)
}

function upgradeClip(node: NodeProto, context: UpgradeContext): undefined {
  const limits = ['min', 'max'].map((name) => {
    const limit = attribute(node, name)
    return limit ? addScalar(context.root, `${node.output[0]}_${name}`, limit.f, floatTypeOf(node, context)) : ''
  })
  while (limits.at(-1) === '') limits.pop()
  removeAttributes(node, ['min', 'max'])
  node.input = [node.input[0]!, ...limits]
}

function upgradePad(node: NodeProto, context: UpgradeContext): undefined {
  const value = floatAttribute(node, 'value', 0)
  const constant = value === 0 ? [] : [addScalar(context.root, `${node.output[0]}_value`, value, floatTypeOf(node, context))]
  attributesToInputs(node, context, ['pads'], 1)
  removeAttributes(node, ['value'])
  node.input.push(...constant)
}

/** Resize of opset 10: positions counted from the corner ("asymmetric"), nearest rounded down, up when shrinking. */
function upgradeResize(node: NodeProto, context: UpgradeContext): undefined {
  // An Upsample became a Resize in its newer form already.
  if (context.from < 10) return
  const [x = '', scales = ''] = node.input
  writeResize(node, context, x, scales)
}

function upsampleToResize(node: NodeProto, context: UpgradeContext): undefined {
  const [x = '', scalesInput] = node.input
  const attributeScales = attribute(node, 'scales')?.floats
  const scales = attributeScales
    ? addConstant(context.root, `${node.output[0]}_scales`, (name) =>
        makeTensor(name, 'float32', [attributeScales.length], Float32Array.from(attributeScales)),
      )
    : (scalesInput ?? '')
  node.opType = 'Resize'
  removeAttributes(node, ['scales'])
  writeResize(node, context, x, scales)
}

function writeResize(node: NodeProto, context: UpgradeContext, x: string, scales: string): void {
  const known = context.scope.constant(scales)
  const factors = known ? floatValues(known) : undefined
  const grows = factors?.every((factor) => factor >= 1)
  const shrinks = factors?.every((factor) => factor <= 1)
  const mode = stringAttribute(node, 'mode', 'nearest')
  const nearest = mode === 'nearest'
  if (nearest && !grows && !shrinks) refuse(node, context, 'it resizes with factors that are not known or that shrink and grow at once')
  // The first Upsample called it by the number of dimensions.
  if (mode === 'bilinear') setMode(node, 'linear')
  node.input = [x, '', scales]
  node.attribute.push(makeAttribute('coordinate_transformation_mode', 'asymmetric'))
  if (nearest) node.attribute.push(makeAttribute('nearest_mode', grows ? 'floor' : 'ceil'))
}

function setMode(node: NodeProto, mode: string): void {
  removeAttributes(node, ['mode'])
  node.attribute.push(makeAttribute('mode', mode))
}

/**
 * Since opset 13 inputs of Resize that are not used are left out; before, an empty constant stood there. The mode
 * `tf_half_pixel_for_nn` went: rounding (x + ½)·s down is the same as rounding the half-pixel position (x + ½)·s − ½ to the
 * nearest, halves up.
 */
function upgradeOptionalResizeInputs(node: NodeProto, context: UpgradeContext): undefined {
  const isEmpty = (name: string): boolean => context.scope.constant(name)?.dims.some((dim) => dim === 0n) ?? false
  node.input = node.input.map((name, index) => (index > 0 && name !== '' && isEmpty(name) ? '' : name))
  if (stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel') !== 'tf_half_pixel_for_nn') return
  const nearestMode = stringAttribute(node, 'nearest_mode', 'round_prefer_floor')
  if (stringAttribute(node, 'mode', 'nearest') !== 'nearest' || nearestMode !== 'floor')
    refuse(node, context, 'its coordinate mode tf_half_pixel_for_nn was removed in opset 13')
  removeAttributes(node, ['coordinate_transformation_mode', 'nearest_mode'])
  node.attribute.push(makeAttribute('coordinate_transformation_mode', 'half_pixel'), makeAttribute('nearest_mode', 'round_prefer_ceil'))
}

/**
 * Until opset 12, Softmax normalized over all dimensions from `axis` on, taken together. Where `axis` is the last one that
 * is the same as today; elsewhere the tensor is flattened to a matrix and given its shape back.
 */
function upgradeSoftmax(node: NodeProto, { root, facts }: UpgradeContext): readonly NodeProto[] {
  const axis = intAttribute(node, 'axis', 1)
  const rank = facts.get(node.input[0]!)?.shape.length
  removeAttributes(node, ['axis'])
  node.attribute.push(makeAttribute('axis', -1))
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return [node]
  const [input = ''] = node.input
  const [output = ''] = node.output
  const shape = root.freshName(`${output}_shape`)
  const matrix = root.freshName(`${output}_matrix`)
  const normalized = root.freshName(`${output}_normalized`)
  node.input = [matrix]
  node.output = [normalized]
  return [
    makeNode('Shape', [input], [shape], {}, { name: root.freshName(`${node.name}_shape`) }),
    makeNode('Flatten', [input], [matrix], { axis }, { name: root.freshName(`${node.name}_flatten`) }),
    node,
    makeNode('Reshape', [normalized, shape], [output], {}, { name: root.freshName(`${node.name}_reshape`) }),
  ]
}

function renameTo(opType: string): NodeUpgrade {
  return (node) => {
    node.opType = opType
    return undefined
  }
}

function dropAttribute(name: string): NodeUpgrade {
  return (node) => {
    removeAttributes(node, [name])
    return undefined
  }
}
