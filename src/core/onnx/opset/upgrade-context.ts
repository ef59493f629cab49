import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { AttributeProto_AttributeType as AttributeType, TensorProto_DataType as T } from 'onnx-buf'
import { CoreError } from '../../core-error.ts'
import { floatToHalf } from '../../float16.ts'
import { allTensors } from '../all-tensors.ts'
import { type ElementType, elementTypeName } from '../data-types.ts'
import { attribute, Graph, intAttribute } from '../graph.ts'
import { quoteName } from '../quote-name.ts'
import { makeInt64, makeTensor } from '../tensor-values.ts'

/** What upgrades look up of a tensor. */
interface KnownTensor {
  readonly type: ElementType
  readonly shape: readonly (number | string | undefined)[]
}

/** What an upgrade works with. */
export interface UpgradeContext {
  /** The main graph: new constants go there, where every sub-graph can read them. */
  readonly root: Graph
  /** The graph the node stands in. */
  readonly scope: Graph
  /** Types and shapes of the tensors of the main graph. */
  readonly facts: ReadonlyMap<string, KnownTensor>
  /** The operator set the model comes with, and the one it is raised to. */
  readonly from: number
  readonly to: number
}

/** Rewrites one node to the form of a newer operator set, in place or by the nodes returned. */
export type NodeUpgrade = (node: NodeProto, context: UpgradeContext) => readonly NodeProto[] | undefined

/** An operator whose meaning or form changed in operator set `since`; what only got further types or inputs needs none. */
export interface OperatorUpgrade {
  readonly op: string
  readonly since: number
  readonly apply: NodeUpgrade
}

/** Attributes that became int64 inputs, in this order, from input `position` on; a missing one stays left out. */
export function attributesToInputs(node: NodeProto, { root }: UpgradeContext, names: readonly string[], position: number): undefined {
  const inputs = names.map((name) => {
    const found = attribute(node, name)
    if (!found) return ''
    const values = found.type === AttributeType.INT ? [Number(found.i)] : found.ints.map(Number)
    return addIndices(root, `${node.output[0]}_${name}`, values)
  })
  removeAttributes(node, names)
  const before = node.input.slice(0, position)
  while (before.length < position) before.push('')
  node.input = [...before, ...inputs]
  dropTrailingEmptyInputs(node)
}

/** An input left out at the end is not written. */
function dropTrailingEmptyInputs(node: NodeProto): void {
  while (node.input.at(-1) === '') node.input.pop()
}

export function removeAttributes(node: NodeProto, names: readonly string[]): void {
  node.attribute = node.attribute.filter(({ name }) => !names.includes(name))
}

/** Adds an int64 list to the main graph; returns its name. */
export function addIndices(root: Graph, base: string, values: readonly number[]): string {
  return addConstant(root, base, (name) => makeInt64(name, [values.length], values))
}

/** Adds a scalar of a float type to the main graph; returns its name. */
export function addScalar(root: Graph, base: string, value: number, type: ElementType): string {
  return addConstant(root, base, (name) => {
    if (type === 'float16') return makeTensor(name, 'float16', [], Uint16Array.of(floatToHalf(value)))
    if (type === 'float64') return makeTensor(name, 'float64', [], Float64Array.of(value))
    return makeTensor(name, 'float32', [], Float32Array.of(value))
  })
}

/** Adds a constant under a name that nothing uses yet; returns it. */
export function addConstant(root: Graph, base: string, make: (name: string) => TensorProto): string {
  const name = root.freshName(base)
  root.addInitializer(make(name))
  return name
}

/**
 * The float type of a node's first input.
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when it is not known (a tensor of a sub-graph in a model that mixes float types)
 */
export function floatTypeOf(node: NodeProto, context: UpgradeContext): ElementType {
  const [name = ''] = node.input
  const known = context.facts.get(name)?.type ?? declaredType(context.scope, name) ?? onlyFloatType(context.root.model)
  return known ?? refuse(node, context, 'the element type of its input is not known')
}

function declaredType(scope: Graph, name: string): ElementType | undefined {
  const { valueInfo, input, output } = scope.proto
  const type = [...valueInfo, ...input, ...output].find((value) => value.name === name)?.type?.value
  return type?.case === 'tensorType' ? elementTypeName(type.value.elemType) : undefined
}

const OTHER_FLOATS: ReadonlySet<number> = new Set([T.FLOAT16, T.BFLOAT16, T.DOUBLE])

/** float32 where a model speaks of no other float type anywhere. */
function onlyFloatType(model: ModelProto): 'float32' | undefined {
  for (const { dataType } of allTensors(model)) if (OTHER_FLOATS.has(dataType)) return undefined
  for (const { proto, nodes } of new Graph(model).scopes()) {
    const declared = [...proto.input, ...proto.output, ...proto.valueInfo].map(({ type }) => type?.value)
    if (declared.some((type) => type?.case === 'tensorType' && OTHER_FLOATS.has(type.value.elemType))) return undefined
    const makesOther = nodes.some(
      (node) => OTHER_FLOATS.has(intAttribute(node, 'to', 0)) || OTHER_FLOATS.has(intAttribute(node, 'dtype', 0)),
    )
    if (makesOther) return undefined
  }
  return 'float32'
}

/** @throws CoreError `RECIPE_NOT_APPLICABLE` naming the node and why it has no newer form */
export function refuse(node: NodeProto, { to }: UpgradeContext, reason: string): never {
  throw new CoreError('RECIPE_NOT_APPLICABLE', `${node.opType} ${quoteName(node.name)} cannot be raised to opset ${to}: ${reason}.`, {
    hint: `Export the model again with opset ${to} or later.`,
    details: { node: node.name, op: node.opType, opset: to },
  })
}
