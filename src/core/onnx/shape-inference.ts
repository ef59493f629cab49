import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, ValueInfoProto } from 'onnx-buf'
import { constantNodeFact, tensorFact } from './constant-facts.ts'
import { orderNodes, subgraphs } from './graph.ts'
import { countMacs } from './macs.ts'
import { OpCall, type OutputFacts, type ShapeRule } from './op-call.ts'
import { creationRules } from './shape-rules/creation.ts'
import { elementwiseRules } from './shape-rules/elementwise.ts'
import { layoutRules } from './shape-rules/layout.ts'
import { matrixRules } from './shape-rules/matrices.ts'
import { quantizationRules } from './shape-rules/quantization.ts'
import { recurrentRules } from './shape-rules/recurrent.ts'
import { reductionRules } from './shape-rules/reductions.ts'
import { resizingRules } from './shape-rules/resizing.ts'
import { selectionRules } from './shape-rules/selection.ts'
import { windowRules } from './shape-rules/windows.ts'
import { commonShape, declaredFact, mergeShapes, type Shape, type TensorFact } from './shapes.ts'
import { importedOpsets, normalizeDomain } from './supported-versions.ts'
import { inferValues } from './value-rules.ts'

/** What {@link inferShapes} found out. */
export interface InferredShapes {
  /** What is known of every tensor of the main graph, by name. */
  readonly facts: ReadonlyMap<string, TensorFact>
  /** Multiply-accumulates of every node of the main graph (its sub-graphs and functions included); `null` where they could not be counted. */
  readonly macs: ReadonlyMap<NodeProto, number | null>
}

export interface InferOptions {
  /**
   * Take the batch as 1: the first dimension of every graph input when it is symbolic or unknown, and everything of the same name.
   * What comes out is what a run with one sample has.
   */
  readonly singleSample?: boolean
}

/**
 * Infers element types and shapes of all tensors from the graph's inputs, in one pass through the nodes. Symbolic dimensions stay
 * symbols, shapes that the graph computes (Shape, Gather, Concat …) are followed, `value_info` in the file fills what the rules
 * cannot say. Unknown stays unknown: every number in the result holds for each run.
 *
 * @param model a model that passed `validateModel`
 */
export function inferShapes(model: ModelProto, { singleSample = false }: InferOptions = {}): InferredShapes {
  const graph = model.graph
  if (!graph) return { facts: new Map(), macs: new Map() }
  const symbols = singleSample ? batchSymbols(graph) : new Set<string>()
  const functions = new Map(model.functions.map((body) => [functionKey(body.domain, body.name, body.overload), body]))
  const shared: Shared = { symbols, functions, irVersion: Number(model.irVersion), depth: 0, budget: { left: FUNCTION_NODES } }
  const inputs = new Map(
    graph.input.map((input): [string, TensorFact] => {
      const fact = bound(declaredFact(input), symbols)
      const first = singleSample && fact.shape && fact.shape.length > 0 && typeof fact.shape[0] !== 'number'
      return [input.name, first ? { ...fact, shape: fact.shape?.with(0, 1) } : fact]
    }),
  )
  const scope = new Scope(undefined, importedOpsets(model), shared)
  return { facts: scope.facts, macs: runGraph(graph, scope, inputs) }
}

const rules: ReadonlyMap<string, ShapeRule> = new Map(
  Object.entries({
    ...elementwiseRules,
    ...windowRules,
    ...matrixRules,
    ...layoutRules,
    ...selectionRules,
    ...reductionRules,
    ...quantizationRules,
    ...resizingRules,
    ...recurrentRules,
    ...creationRules,
  }),
)

/** Calls of functions within functions that are followed; ONNX forbids recursion, a hostile file does not. */
const FUNCTION_DEPTH = 16
/** Nodes looked at inside functions: a few functions that call each other many times would unfold without end. */
const FUNCTION_NODES = 500_000

interface Shared {
  /** Symbols taken as 1. */
  readonly symbols: ReadonlySet<string>
  readonly functions: ReadonlyMap<string, FunctionProto>
  readonly irVersion: number
  readonly depth: number
  /** Nodes inside functions that may still be looked at. */
  readonly budget: { left: number }
}

/** Facts of a graph, in which a sub-graph also sees those around it. */
class Scope {
  readonly facts = new Map<string, TensorFact>()
  readonly outer: Scope | undefined
  readonly opsets: ReadonlyMap<string, number>
  readonly shared: Shared

  constructor(outer: Scope | undefined, opsets: ReadonlyMap<string, number>, shared: Shared) {
    this.outer = outer
    this.opsets = opsets
    this.shared = shared
  }

  get(name: string): TensorFact | undefined {
    return this.facts.get(name) ?? this.outer?.get(name)
  }
}

function batchSymbols(graph: GraphProto): Set<string> {
  const symbols = graph.input.map((input) => declaredFact(input).shape?.[0]).filter((dim) => typeof dim === 'string')
  return new Set(symbols)
}

function bound(fact: TensorFact, symbols: ReadonlySet<string>): TensorFact {
  if (symbols.size === 0 || !fact.shape) return fact
  return { ...fact, shape: fact.shape.map((dim) => (typeof dim === 'string' && symbols.has(dim) ? 1 : dim)) }
}

function runGraph(graph: GraphProto, scope: Scope, inputs: ReadonlyMap<string, TensorFact>): Map<NodeProto, number | null> {
  const { symbols, irVersion } = scope.shared
  for (const [name, fact] of inputs) scope.facts.set(name, fact)
  for (const tensor of graph.initializer) {
    const fact = tensorFact(tensor)
    // A default that the caller may override: only what the input declares is certain.
    const overridable = irVersion >= 4 && inputs.has(tensor.name)
    scope.facts.set(tensor.name, overridable ? (inputs.get(tensor.name) ?? {}) : fact)
  }
  for (const { values, dims } of graph.sparseInitializer) {
    if (values) scope.facts.set(values.name, { type: tensorFact(values).type, shape: dims.map(Number) })
  }
  const declared = new Map([...graph.valueInfo, ...graph.output].map((value): [string, ValueInfoProto] => [value.name, value]))
  return runNodes(graph.node, scope, (name) => bound(declaredFact(declared.get(name)), symbols))
}

function runNodes(nodes: readonly NodeProto[], scope: Scope, declared: (name: string) => TensorFact): Map<NodeProto, number | null> {
  const macs = new Map<NodeProto, number | null>()
  for (const node of orderNodes(nodes) ?? nodes) {
    const opset = scope.opsets.get(normalizeDomain(node.domain)) ?? 1
    const call = new OpCall(
      node,
      opset,
      node.input.map((name) => (name === '' ? undefined : scope.get(name))),
    )
    const result = runNode(call, scope)
    macs.set(node, result.macs)
    for (const [index, name] of node.output.entries()) {
      if (name === '') continue
      const fact = result.outputs[index] ?? {}
      const said = declared(name)
      scope.facts.set(name, { ...fact, type: fact.type ?? said.type, shape: mergeShapes(fact.shape, said.shape) })
    }
  }
  return macs
}

interface NodeResult {
  readonly outputs: OutputFacts
  readonly macs: number | null
}

function runNode(call: OpCall, scope: Scope): NodeResult {
  const { node } = call
  const { functions } = scope.shared
  const body = functions.size > 0 ? functions.get(functionKey(node.domain, node.opType, node.overload)) : undefined
  if (body) return runFunction(call, body, scope)
  const bodies = subgraphs(node)
  if (bodies.length > 0) return runBodies(call, bodies, scope)
  if (node.opType === 'Constant' && normalizeDomain(node.domain) === '') return { outputs: [constantNodeFact(call)], macs: 0 }
  const domain = normalizeDomain(node.domain)
  const rule = rules.get(domain === '' ? node.opType : `${domain}.${node.opType}`)
  const outputs = (rule?.(call) ?? []).map((fact) => fact && { ...fact, shape: plausible(fact.shape) })
  const [first, ...others] = outputs
  const complete = domain === '' && first ? [withValues(call, first), ...others] : outputs
  return { outputs: complete, macs: countMacs(call, first) }
}

function withValues(call: OpCall, fact: TensorFact): TensorFact {
  const values = inferValues(call, fact)
  return values ? { ...fact, values } : fact
}

/** A shape without impossible dimensions, `undefined` when it has one (the rule's input was not what it seemed). */
function plausible(shape: Shape | undefined): Shape | undefined {
  return shape?.every((dim) => typeof dim !== 'number' || (Number.isSafeInteger(dim) && dim >= 0)) ? shape : undefined
}

/**
 * If, Loop and Scan: inner nodes see the outer tensors. An If gives what both branches agree on. How often a Loop or Scan runs its body
 * is not known, so its work is only counted when there is none.
 */
function runBodies(call: OpCall, bodies: readonly GraphProto[], scope: Scope): NodeResult {
  const results = bodies.map((body) => {
    const inner = new Scope(scope, scope.opsets, scope.shared)
    const inputs = new Map(body.input.map((input): [string, TensorFact] => [input.name, bound(declaredFact(input), scope.shared.symbols)]))
    const macs = total(runGraph(body, inner, inputs).values())
    return { outputs: body.output.map(({ name }) => inner.get(name) ?? {}), macs }
  })
  const [first, second] = results
  if (call.node.opType !== 'If' || !first || !second || results.length > 2) {
    return { outputs: [], macs: results.every(({ macs }) => macs === 0) ? 0 : null }
  }
  return {
    outputs: first.outputs.map((fact, index) => {
      const other = second.outputs[index]
      return { type: fact.type === other?.type ? fact.type : undefined, shape: commonShape(fact.shape, other?.shape) }
    }),
    macs: first.macs === second.macs ? first.macs : null,
  }
}

/** A call of a function kept in the model: its body runs in a scope of its own, attributes it refers to come from the call. */
function runFunction(call: OpCall, body: FunctionProto, scope: Scope): NodeResult {
  const depth = scope.shared.depth + 1
  const { budget } = scope.shared
  budget.left -= body.node.length
  if (depth > FUNCTION_DEPTH || budget.left < 0) return { outputs: [], macs: null }
  const inner = new Scope(undefined, importedOpsets(body), { ...scope.shared, depth })
  for (const [index, name] of body.input.entries()) inner.facts.set(name, call.fact(index))
  const defaults = new Map(body.attributeProto.map((entry) => [entry.name, entry]))
  const nodes = body.node.map((node) => withAttributes(node, (name) => call.attribute(name) ?? defaults.get(name)))
  const declared = new Map(body.valueInfo.map((value) => [value.name, value]))
  const macs = runNodes(nodes, inner, (name) => bound(declaredFact(declared.get(name)), scope.shared.symbols))
  return { outputs: body.output.map((name) => inner.facts.get(name)), macs: total(macs.values()) }
}

/** A copy of a function's node with the attributes that refer to the function's own filled in. */
function withAttributes(node: NodeProto, find: (name: string) => AttributeProto | undefined): NodeProto {
  if (!node.attribute.some(({ refAttrName }) => refAttrName !== '')) return node
  const attribute = node.attribute.flatMap((entry) => {
    if (entry.refAttrName === '') return [entry]
    const given = find(entry.refAttrName)
    return given ? [{ ...given, name: entry.name }] : []
  })
  return { ...node, attribute }
}

function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([normalizeDomain(domain), name, overload])
}

function total(macs: Iterable<number | null>): number | null {
  let sum = 0
  for (const count of macs) {
    if (count === null) return null
    sum += count
  }
  return sum
}
