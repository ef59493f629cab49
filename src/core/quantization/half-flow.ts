import type { NodeProto } from 'onnx-buf'
import { type Graph, subgraphs } from '../onnx/graph.ts'
import { ownNames, type ScopeFacts } from './scope-facts.ts'

/** Who reads a float tensor. */
export interface FloatReader {
  /** The node, the node whose body gives the tensor out, or `undefined` for the model's caller. */
  readonly node: NodeProto | undefined
  /** The input of the node; `undefined` for what bodies and models give out. */
  readonly slot: number | undefined
}

/** A float32 tensor of the source model, where it comes from and who reads it, in sub-graphs too. */
export interface FloatTensor {
  readonly name: string
  /** The graph that makes it. */
  readonly scope: FlowScope
  /**
   * `made` by a node, given to a body by the node that holds it (`body`), a `port` that a caller feeds, or `stored` in the file:
   * then it can be written in every type that is read.
   */
  readonly origin: 'made' | 'body' | 'port' | 'stored'
  /** The node that makes it or holds the body. */
  readonly producer: NodeProto | undefined
  readonly readers: FloatReader[]
}

/** A graph of the model with its float tensors. */
export class FlowScope {
  readonly graph: Graph
  readonly facts: ScopeFacts
  /** The node whose body this is, `undefined` for the main graph. */
  readonly holder: NodeProto | undefined
  /** The graph around. */
  readonly outer: FlowScope | undefined
  private readonly names: ReadonlySet<string>
  private readonly own = new Map<string, FloatTensor>()

  constructor(graph: Graph, facts: ScopeFacts, holder: NodeProto | undefined, outer: FlowScope | undefined) {
    this.graph = graph
    this.facts = facts
    this.holder = holder
    this.outer = outer
    this.names = new Set(ownNames(graph.proto))
    for (const name of this.names)
      if (facts.get(name)?.type === 'float32') this.own.set(name, { name, scope: this, readers: [], ...this.originOf(name) })
  }

  /** The float32 tensor that a name means here; `undefined` for other types and unknown names. */
  tensor(name: string): FloatTensor | undefined {
    return this.names.has(name) ? this.own.get(name) : this.outer?.tensor(name)
  }

  /** Whether a name of the source model means a tensor of this very graph. */
  owns(name: string): boolean {
    return this.names.has(name)
  }

  /** Float tensors that this graph itself makes. */
  get tensors(): Iterable<FloatTensor> {
    return this.own.values()
  }

  private originOf(name: string): Pick<FloatTensor, 'origin' | 'producer'> {
    const producer = this.graph.producer(name)
    if (producer) return { origin: 'made', producer }
    if (this.graph.constant(name)) return { origin: 'stored', producer: undefined }
    return this.holder ? { origin: 'body', producer: this.holder } : { origin: 'port', producer: undefined }
  }
}

/**
 * The graphs of a model with the flow of float32 tensors between them.
 * @param facts of the graph and its sub-graphs, in the order of {@link Graph.scopes}
 */
export function floatFlow(graph: Graph, facts: readonly ScopeFacts[]): FlowScope[] {
  const graphs = graph.scopes()
  const holders = new Map(graphs.flatMap((scope) => scope.nodes.flatMap((node) => subgraphs(node).map((body) => [body, node] as const))))
  const scopes = new Map<Graph, FlowScope>()
  for (const [index, scope] of graphs.entries()) {
    const outer = scope.parent && scopes.get(scope.parent)
    scopes.set(scope, new FlowScope(scope, facts[index]!, holders.get(scope.proto), outer))
  }
  const flow = [...scopes.values()]
  for (const scope of flow) {
    for (const node of scope.graph.nodes) for (const [slot, name] of node.input.entries()) scope.tensor(name)?.readers.push({ node, slot })
    for (const { name } of scope.graph.outputs) scope.tensor(name)?.readers.push({ node: scope.holder, slot: undefined })
  }
  return flow
}
