import type { GraphProto, ModelProto, NodeProto } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import { attribute, Graph } from '../onnx/graph.ts'
import { inferShapes } from '../onnx/shape-inference.ts'
import type { TensorFact } from '../onnx/shapes.ts'
import { normalizeDomain } from '../onnx/supported-versions.ts'
import { makeInt64, makeTensor } from '../onnx/tensor-values.ts'
import { capturedTensors, renameCaptured } from '../quantization/captured-tensors.ts'

/** Ifs replaced at a time: each rewrites the look-ups of the whole graph. Unrolled speech models have some dozens. */
const MOST_BRANCHES = 500

/**
 * Replaces what is the same in every run although ONNX Runtime does not fold it: an If whose condition is known becomes its
 * branch, and integers computed from shapes become constants. ONNX Runtime follows shapes only where all dimensions are
 * known; the shape inference used here also knows the fixed dimensions of shapes that are open in others.
 *
 * @param model is changed; its main graph
 * @returns how many nodes were replaced
 */
export function replaceKnownValues(model: ModelProto): number {
  const graph = new Graph(model)
  const { facts } = inferShapes(model)
  const branches = graph.nodes.flatMap((node) => {
    const branch = isStandard(node, 'If') ? knownBranch(node, facts) : undefined
    return branch ? [{ node, branch }] : []
  })
  for (const { node, branch } of branches.slice(0, MOST_BRANCHES)) inlineBranch(graph, node, branch)
  const constants = graph.nodes.filter((node) => knownOutputs(graph, node, facts))
  for (const node of constants) for (const name of node.output) addKnown(graph, name, facts.get(name)!)
  graph.removeNodes(constants)
  const replaced = branches.length + constants.length
  if (replaced > 0) removeUnread(graph)
  return replaced
}

/** Removes what only the replaced nodes read. Nodes stand in topological order, so one pass from the end finds all. */
function removeUnread(graph: Graph): void {
  const read = new Set(graph.outputs.map(({ name }) => name))
  const unread: NodeProto[] = []
  for (const node of graph.nodes.toReversed()) {
    if (node.output.some((name) => read.has(name))) for (const name of [...node.input, ...capturedTensors(node)]) read.add(name)
    else unread.push(node)
  }
  graph.removeNodes(unread)
  graph.removeUnusedInitializers()
}

function isStandard(node: NodeProto, opType: string): boolean {
  return node.opType === opType && normalizeDomain(node.domain) === ''
}

function knownBranch(node: NodeProto, facts: ReadonlyMap<string, TensorFact>): GraphProto | undefined {
  const values = facts.get(node.input[0] ?? '')?.values
  const condition = values?.length === 1 ? values[0] : undefined
  if (typeof condition !== 'number') return undefined
  const branch = attribute(node, condition !== 0 ? 'then_branch' : 'else_branch')?.g
  return branch && branch.sparseInitializer.length === 0 && branch.output.length >= node.output.length ? branch : undefined
}

/** Puts a branch in the place of its If. Its names become fresh ones: other sub-graphs may use the same. */
function inlineBranch(graph: Graph, node: NodeProto, branch: GraphProto): void {
  const renamed = new Map<string, string>()
  for (const { name } of branch.initializer) renamed.set(name, graph.freshName(name))
  for (const { output } of branch.node) for (const name of output) if (name !== '') renamed.set(name, graph.freshName(name))
  const now = (name: string): string => renamed.get(name) ?? name
  for (const inner of branch.node) {
    inner.name = graph.freshName(inner.name || `${inner.opType}_inlined`)
    inner.input = inner.input.map(now)
    inner.output = inner.output.map(now)
    renameAllCaptured(inner, renamed)
  }
  for (const tensor of branch.initializer) graph.addInitializer(Object.assign(tensor, { name: now(tensor.name) }))
  const results = node.output.flatMap((name, index) => {
    if (name === '') return []
    return [makeNode('Identity', [now(branch.output[index]!.name)], [name], {}, { name: graph.freshName(`${node.name}_result`) })]
  })
  const place = graph.nodes.indexOf(node)
  graph.proto.node.splice(place, 1, ...branch.node, ...results)
  graph.reindex()
}

/** In two passes: a fresh name of one tensor may be the old name of another. */
function renameAllCaptured(node: NodeProto, renamed: ReadonlyMap<string, string>): void {
  if (!node.attribute.some(({ g, graphs }) => g || graphs.length > 0)) return
  const steps = [...renamed].map(([from, to], index) => ({ from, to, between: `\u0000${index}` }))
  for (const { from, between } of steps) renameCaptured(node, from, between)
  for (const { between, to } of steps) renameCaptured(node, between, to)
}

/** Integers are all that shapes are computed with; larger lists are data. */
const MOST_VALUES = 64

function knownOutputs(graph: Graph, node: NodeProto, facts: ReadonlyMap<string, TensorFact>): boolean {
  if (normalizeDomain(node.domain) !== '' || node.opType === 'Constant' || node.output.length === 0) return false
  return node.output.every((name) => {
    const { type, shape, values } = facts.get(name) ?? {}
    return (
      name !== '' &&
      !graph.isGraphOutput(name) &&
      (type === 'int64' || type === 'int32' || type === 'bool') &&
      shape?.every((dim) => typeof dim === 'number') === true &&
      values !== undefined &&
      values.length <= MOST_VALUES &&
      values.every((value) => Number.isSafeInteger(value))
    )
  })
}

function addKnown(graph: Graph, name: string, { type, shape, values }: TensorFact): void {
  const dims = shape as readonly number[]
  const numbers = values as readonly number[]
  if (type === 'int64') graph.addInitializer(makeInt64(name, dims, numbers))
  else if (type === 'int32') graph.addInitializer(makeTensor(name, 'int32', dims, Int32Array.from(numbers)))
  else
    graph.addInitializer(
      makeTensor(
        name,
        'bool',
        dims,
        Uint8Array.from(numbers, (value) => (value === 0 ? 0 : 1)),
      ),
    )
}
