import type { GraphProto, NodeProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { floatToHalf } from '../float16.ts'
import { makeAttribute, makeNode } from '../onnx/builders.ts'
import { attribute, floatAttribute, type Graph, intAttribute, intsAttribute, stringAttribute, subgraphs } from '../onnx/graph.ts'
import { floatValues, makeInt64, makeTensor } from '../onnx/tensor-values.ts'
import type { TensorFactsByName } from './tensor-facts.ts'

/** The opset that brought one scale per channel to QuantizeLinear and DequantizeLinear. */
export const PER_CHANNEL_OPSET = 13
/** The IR version that goes with opset 13. */
const PER_CHANNEL_IR = 7n
/** Before opset 7, Add, Mul and Gemm had broadcasting rules of their own. */
const OLDEST_OPSET = 7

interface UpgradeContext {
  readonly graph: Graph
  readonly facts: TensorFactsByName
  /** The opset the model comes with. */
  readonly from: number
}

/** Rewrites one node to its opset 13 form, in place or by the nodes returned. */
type NodeUpgrade = (node: NodeProto, context: UpgradeContext) => readonly NodeProto[] | undefined

/** Operators whose meaning or form changed between opset 7 and 13; others only got further types. */
const UPGRADES: readonly { readonly op: string; readonly since: number; readonly apply: NodeUpgrade }[] = [
  { op: 'Scan', since: 9, apply: (node) => refuse(node, 'its batch dimension was removed in opset 9') },
  { op: 'BatchNormalization', since: 9, apply: upgradeBatchNormalization },
  { op: 'Upsample', since: 10, apply: upsampleToResize },
  { op: 'Slice', since: 10, apply: upgradeSlice },
  { op: 'TopK', since: 10, apply: (node, { graph }) => attributesToInputs(node, graph, ['k'], 1) },
  { op: 'Resize', since: 11, apply: upgradeResize },
  { op: 'Clip', since: 11, apply: upgradeClip },
  { op: 'Pad', since: 11, apply: upgradePad },
  { op: 'Scatter', since: 11, apply: renameTo('ScatterElements') },
  { op: 'Dropout', since: 12, apply: dropAttribute('ratio') },
  { op: 'Squeeze', since: 13, apply: (node, { graph }) => attributesToInputs(node, graph, ['axes'], 1) },
  { op: 'Unsqueeze', since: 13, apply: (node, { graph }) => attributesToInputs(node, graph, ['axes'], 1) },
  { op: 'ReduceSum', since: 13, apply: (node, { graph }) => attributesToInputs(node, graph, ['axes'], 1) },
  { op: 'Split', since: 13, apply: (node, { graph }) => attributesToInputs(node, graph, ['split'], 1) },
  { op: 'Softmax', since: 13, apply: upgradeSoftmax },
  { op: 'LogSoftmax', since: 13, apply: upgradeSoftmax },
  { op: 'Hardmax', since: 13, apply: upgradeSoftmax },
]

/**
 * Raises a model of opset 7 to 12 to opset 13, in place, without changing what it computes; newer models stay as they are.
 * Initializers that IR version 3 had to repeat among the inputs become constants, as ONNX Runtime already treats them.
 *
 * @param facts types and shapes of the tensors (ranks decide how Softmax is written)
 * @throws CoreError `RECIPE_NOT_APPLICABLE` naming the node that has no opset 13 form
 */
export function upgradeOpset(graph: Graph, facts: TensorFactsByName): void {
  const from = graph.opset
  if (from >= PER_CHANNEL_OPSET) return
  if (from < OLDEST_OPSET) {
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      `The model uses opset ${from}; quantization needs opset ${PER_CHANNEL_OPSET} and can raise models from opset ${OLDEST_OPSET} on.`,
      {
        hint: 'Export the model again with opset 13 or later.',
        details: { opset: from },
      },
    )
  }
  upgradeNodes(graph.proto, { graph, facts, from })
  if (graph.model.irVersion < 4n) {
    const constants = new Set(graph.proto.initializer.map(({ name }) => name))
    graph.proto.input = graph.proto.input.filter(({ name }) => !constants.has(name))
  }
  if (graph.model.irVersion < PER_CHANNEL_IR) graph.model.irVersion = PER_CHANNEL_IR
  graph.requireOpset('', PER_CHANNEL_OPSET)
  graph.reindex()
}

function upgradeNodes(proto: GraphProto, context: UpgradeContext): void {
  proto.node = proto.node.flatMap((node) => {
    for (const body of subgraphs(node)) upgradeNodes(body, context)
    if (node.domain !== '' && node.domain !== 'ai.onnx') return [node]
    const due = UPGRADES.find(({ op, since }) => op === node.opType && context.from < since)
    return [...(due?.apply(node, context) ?? [node])]
  })
}

/** Attributes that became int64 inputs, in this order, from input `position` on; a missing one stays left out. */
function attributesToInputs(node: NodeProto, graph: Graph, names: readonly string[], position: number): undefined {
  const inputs = names.map((name) => {
    const found = attribute(node, name)
    if (!found) return ''
    const values = found.ints.length > 0 ? found.ints.map(Number) : [Number(found.i)]
    return addIndices(graph, `${node.output[0]}_${name}`, values)
  })
  while (inputs.at(-1) === '') inputs.pop()
  removeAttributes(node, names)
  node.input = [...node.input.slice(0, position), ...inputs]
}

function upgradeBatchNormalization(node: NodeProto): undefined {
  if (intAttribute(node, 'spatial', 1) === 0) refuse(node, 'it normalizes every element on its own (spatial = 0)')
  removeAttributes(node, ['spatial'])
}

function upgradeSlice(node: NodeProto, { graph }: UpgradeContext): undefined {
  const starts = intsAttribute(node, 'starts') ?? []
  const axes = intsAttribute(node, 'axes')
  if (!axes)
    node.attribute.push(
      makeAttribute(
        'axes',
        starts.map((_, axis) => axis),
      ),
    )
  attributesToInputs(node, graph, ['starts', 'ends', 'axes'], 1)
}

function upgradeClip(node: NodeProto, { graph, facts }: UpgradeContext): undefined {
  const limits = ['min', 'max'].map((name) => {
    const limit = attribute(node, name)
    return limit ? addScalar(graph, `${node.output[0]}_${name}`, limit.f, facts.get(node.input[0]!)?.type) : ''
  })
  while (limits.at(-1) === '') limits.pop()
  removeAttributes(node, ['min', 'max'])
  node.input = [node.input[0]!, ...limits]
}

function upgradePad(node: NodeProto, { graph, facts }: UpgradeContext): undefined {
  const value = floatAttribute(node, 'value', 0)
  const constant = value === 0 ? [] : [addScalar(graph, `${node.output[0]}_value`, value, facts.get(node.input[0]!)?.type)]
  attributesToInputs(node, graph, ['pads'], 1)
  removeAttributes(node, ['value'])
  node.input.push(...constant)
}

/** Resize of opset 10: positions counted from the corner ("asymmetric"), nearest rounded down, up when shrinking. */
function upgradeResize(node: NodeProto, { graph, from }: UpgradeContext): undefined {
  if (from < 10) return
  const [x = '', scales = ''] = node.input
  writeResize(node, graph, x, scales)
}

function upsampleToResize(node: NodeProto, { graph }: UpgradeContext): undefined {
  const [x = '', scalesInput] = node.input
  const attributeScales = attribute(node, 'scales')?.floats
  const scales = attributeScales
    ? addTensor(graph, `${node.output[0]}_scales`, (name) =>
        makeTensor(name, 'float32', [attributeScales.length], Float32Array.from(attributeScales)),
      )
    : (scalesInput ?? '')
  node.opType = 'Resize'
  removeAttributes(node, ['scales'])
  writeResize(node, graph, x, scales)
}

function writeResize(node: NodeProto, graph: Graph, x: string, scales: string): void {
  const known = graph.constant(scales)
  const factors = known ? floatValues(known) : undefined
  const grows = factors?.every((factor) => factor >= 1)
  const shrinks = factors?.every((factor) => factor <= 1)
  const nearest = stringAttribute(node, 'mode', 'nearest') === 'nearest'
  if (nearest && !grows && !shrinks) refuse(node, 'it resizes with factors that are not known or that shrink and grow at once')
  node.input = [x, '', scales]
  node.attribute.push(makeAttribute('coordinate_transformation_mode', 'asymmetric'))
  if (nearest) node.attribute.push(makeAttribute('nearest_mode', grows ? 'floor' : 'ceil'))
}

/**
 * Until opset 12, Softmax normalized over all dimensions from `axis` on, taken together. Where `axis` is the last one that
 * is the same as today; elsewhere the tensor is flattened to a matrix and given its shape back.
 */
function upgradeSoftmax(node: NodeProto, { graph, facts }: UpgradeContext): readonly NodeProto[] {
  const axis = intAttribute(node, 'axis', 1)
  const rank = facts.get(node.input[0]!)?.shape.length
  removeAttributes(node, ['axis'])
  node.attribute.push(makeAttribute('axis', -1))
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return [node]
  const [input = ''] = node.input
  const [output = ''] = node.output
  const [shape, matrix, normalized] = ['shape', 'matrix', 'normalized'].map((part) => graph.freshName(`${output}_${part}`)) as [
    string,
    string,
    string,
  ]
  node.input = [matrix]
  node.output = [normalized]
  return [
    makeNode('Shape', [input], [shape], {}, { name: graph.freshName(`${node.name}_shape`) }),
    makeNode('Flatten', [input], [matrix], { axis }, { name: graph.freshName(`${node.name}_flatten`) }),
    node,
    makeNode('Reshape', [normalized, shape], [output], {}, { name: graph.freshName(`${node.name}_reshape`) }),
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

function removeAttributes(node: NodeProto, names: readonly string[]): void {
  node.attribute = node.attribute.filter(({ name }) => !names.includes(name))
}

function addIndices(graph: Graph, base: string, values: readonly number[]): string {
  return addTensor(graph, base, (name) => makeInt64(name, [values.length], values))
}

function addScalar(graph: Graph, base: string, value: number, type = 'float32'): string {
  return addTensor(graph, base, (name) => {
    if (type === 'float16') return makeTensor(name, 'float16', [], Uint16Array.of(floatToHalf(value)))
    if (type === 'float64') return makeTensor(name, 'float64', [], Float64Array.of(value))
    return makeTensor(name, 'float32', [], Float32Array.of(value))
  })
}

function addTensor(graph: Graph, base: string, make: (name: string) => ReturnType<typeof makeTensor>): string {
  const name = graph.freshName(base)
  graph.addInitializer(make(name))
  return name
}

function refuse(node: NodeProto, reason: string): never {
  throw new CoreError('RECIPE_NOT_APPLICABLE', `${node.opType} "${node.name}" cannot be raised to opset ${PER_CHANNEL_OPSET}: ${reason}.`, {
    hint: 'Export the model again with opset 13 or later.',
    details: { node: node.name, op: node.opType },
  })
}
