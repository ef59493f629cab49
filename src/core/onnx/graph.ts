import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { quoteName } from './quote-name.ts'
import { normalizeDomain } from './supported-versions.ts'

/**
 * An editable view of a model's main graph: the protobuf stays the single source of truth (nothing is lost), this class
 * answers "who makes, who reads this tensor" and edits nodes, initializers and names consistently.
 *
 * Look-ups are maintained by the edit methods; whoever edits `node.input`/`node.output` directly calls {@link reindex}.
 * Names used inside sub-graphs (If, Loop, Scan bodies) count as consumers of the node that holds the sub-graph.
 */
export class Graph {
  readonly model: ModelProto
  /** The graph around this one; its tensors can be read here. `undefined` for the main graph. */
  readonly parent: Graph | undefined
  private readonly producers = new Map<string, NodeProto>()
  private readonly readers = new Map<string, Set<NodeProto>>()
  private readonly constants = new Map<string, TensorProto>()
  private readonly names = new Set<string>()
  private readonly body: GraphProto | undefined

  /**
   * @param body a sub-graph of the model (with the graph around it) instead of its main graph, see {@link scopes}
   * @throws CoreError `MODEL_INVALID` when two nodes write the same tensor
   */
  constructor(model: ModelProto, body?: { readonly proto: GraphProto; readonly parent: Graph }) {
    this.model = model
    this.body = body?.proto
    this.parent = body?.parent
    this.reindex()
  }

  /** The graph's protobuf. */
  get proto(): GraphProto {
    const graph = this.body ?? this.model.graph
    if (!graph) throw new CoreError('MODEL_INVALID', 'The model has no graph.')
    return graph
  }

  /**
   * This graph and every sub-graph in it (bodies of If, Loop, Scan), outer ones first. Editing a sub-graph leaves the
   * look-ups of the graphs around it as they were: whoever removes what an inner graph read calls {@link reindex} on them.
   */
  scopes(): Graph[] {
    const inner = this.nodes.flatMap((node) => subgraphs(node)).map((proto) => new Graph(this.model, { proto, parent: this }))
    return [this, ...inner.flatMap((graph) => graph.scopes())]
  }

  /** Nodes in file order (topological in a valid model). */
  get nodes(): readonly NodeProto[] {
    return this.proto.node
  }

  /** Graph inputs that a caller must feed: declared inputs without a default value among the initializers. */
  get inputs(): readonly ValueInfoProto[] {
    return this.proto.input.filter((input) => !this.constants.has(input.name))
  }

  get outputs(): readonly ValueInfoProto[] {
    return this.proto.output
  }

  /** Version of the standard operator set. */
  get opset(): number {
    return this.opsetOf('') ?? 1
  }

  /** Version of a domain's operator set, `undefined` when the model does not import it. */
  opsetOf(domain: string): number | undefined {
    const entry = this.opsetEntry(domain)
    return entry && Number(entry.version)
  }

  /** Imports `domain` at `version`, or raises it when it was lower. */
  requireOpset(domain: string, version: number): void {
    const entry = this.opsetEntry(domain)
    if (!entry) this.model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }))
    else if (Number(entry.version) < version) entry.version = BigInt(version)
  }

  /** The node that writes `tensor`, `undefined` for graph inputs and initializers. */
  producer(tensor: string): NodeProto | undefined {
    return this.producers.get(tensor)
  }

  /** Nodes that read `tensor`, each once, in the order they were indexed. */
  consumers(tensor: string): NodeProto[] {
    return [...(this.readers.get(tensor) ?? [])]
  }

  /** The initializer (or Constant node's value) of that name. Initializers that a caller may override by a graph input are not constant. */
  constant(tensor: string): TensorProto | undefined {
    const initializer = this.constants.get(tensor)
    // Before IR version 4 every initializer had to be listed as an input too, and no caller could override it.
    if (initializer) return this.model.irVersion < 4n || !this.isGraphInput(tensor) ? initializer : undefined
    const node = this.producers.get(tensor)
    // What nothing in here makes comes from the graph around; an input of this graph hides an outer tensor of its name.
    if (!node && !initializer && this.parent && !this.isGraphInput(tensor)) return this.parent.constant(tensor)
    if (node?.opType !== 'Constant') return undefined
    return attribute(node, 'value')?.t
  }

  /** The initializer itself, also when a graph input of the same name makes it overridable. */
  initializer(name: string): TensorProto | undefined {
    return this.constants.get(name)
  }

  isGraphInput(tensor: string): boolean {
    return this.proto.input.some((input) => input.name === tensor)
  }

  isGraphOutput(tensor: string): boolean {
    return this.proto.output.some((output) => output.name === tensor)
  }

  /** A tensor or node name that nothing in the model uses yet: `base`, `base_1`, `base_2` … The name is reserved. */
  freshName(base: string): string {
    let name = base
    for (let index = 1; this.isTaken(name); index++) name = `${base}_${index}`
    // The graphs around must not take it either: they are read from in here.
    for (let graph: Graph | undefined = this; graph; graph = graph.parent) graph.names.add(name)
    return name
  }

  private isTaken(name: string): boolean {
    return this.names.has(name) || (this.parent?.isTaken(name) ?? false)
  }

  addInitializer(tensor: TensorProto): void {
    if (this.constants.has(tensor.name)) throw new Error(`initializer ${tensor.name} exists`)
    this.proto.initializer.push(tensor)
    this.constants.set(tensor.name, tensor)
    this.names.add(tensor.name)
  }

  /** Replaces the initializer of the same name, keeping its place in the file. */
  replaceInitializer(tensor: TensorProto): void {
    const index = this.proto.initializer.findIndex((entry) => entry.name === tensor.name)
    if (index < 0) throw new Error(`no initializer ${tensor.name}`)
    this.proto.initializer[index] = tensor
    this.constants.set(tensor.name, tensor)
  }

  /** Removes initializers that no node reads and that are no graph output; returns their names. */
  removeUnusedInitializers(): string[] {
    const unused = this.proto.initializer.filter(({ name }) => !this.readers.has(name) && !this.isGraphOutput(name)).map(({ name }) => name)
    const gone = new Set(unused)
    if (gone.size === 0) return unused
    this.proto.initializer = this.proto.initializer.filter(({ name }) => !gone.has(name))
    this.proto.input = this.proto.input.filter(({ name }) => !gone.has(name))
    for (const name of unused) this.constants.delete(name)
    return unused
  }

  /** Inserts nodes before `anchor` (at the end without one). Call {@link sortTopologically} when order is not certain. */
  insertNodes(nodes: readonly NodeProto[], anchor?: NodeProto): void {
    const index = anchor ? this.proto.node.indexOf(anchor) : this.proto.node.length
    if (index < 0) throw new Error(`node ${anchor?.name} is not in the graph`)
    this.proto.node.splice(index, 0, ...nodes)
    for (const node of nodes) this.indexNode(node)
  }

  /** Removes nodes; what they wrote has no producer afterwards. */
  removeNodes(nodes: Iterable<NodeProto>): void {
    const gone = new Set(nodes)
    this.proto.node = this.proto.node.filter((node) => !gone.has(node))
    this.reindex()
  }

  /** Makes `node` read `replacement` wherever it read `tensor` (direct inputs only). */
  replaceInput(node: NodeProto, tensor: string, replacement: string): void {
    node.input = node.input.map((input) => (input === tensor ? replacement : input))
    const readers = this.readers.get(tensor)
    if (readers && !readNames(node).includes(tensor)) {
      readers.delete(node)
      if (readers.size === 0) this.readers.delete(tensor)
    }
    this.indexNode(node)
  }

  /** Rebuilds the look-ups from the protobuf. */
  reindex(): void {
    for (const map of [this.producers, this.readers, this.constants]) map.clear()
    this.names.clear()
    const { proto } = this
    for (const tensor of proto.initializer) this.constants.set(tensor.name, tensor)
    for (const { name } of [...proto.input, ...proto.output, ...proto.initializer, ...proto.valueInfo]) this.names.add(name)
    for (const { values } of proto.sparseInitializer) if (values) this.names.add(values.name)
    for (const node of proto.node) {
      this.indexNode(node)
      for (const body of subgraphs(node)) for (const name of innerNames(body)) this.names.add(name)
    }
  }

  /**
   * Orders nodes so that every tensor is written before it is read; stable for nodes that are already in order.
   * @throws CoreError `MODEL_INVALID` when the graph has a cycle
   */
  sortTopologically(): void {
    const sorted = orderNodes(this.proto.node)
    if (!sorted) throw new CoreError('MODEL_INVALID', 'The graph has a cycle: some nodes read what they themselves make.')
    this.proto.node = sorted
  }

  private opsetEntry(domain: string): OperatorSetIdProto | undefined {
    const name = normalizeDomain(domain)
    return this.model.opsetImport.find((set) => normalizeDomain(set.domain) === name)
  }

  private indexNode(node: NodeProto): void {
    if (node.name) this.names.add(node.name)
    for (const output of node.output) {
      if (output === '') continue
      const other = this.producers.get(output)
      if (other && other !== node)
        throw new CoreError(
          'MODEL_INVALID',
          `Tensor ${quoteName(output)} is written by two nodes (${quoteName(other.name || other.opType)}, ${quoteName(node.name || node.opType)}).`,
        )
      this.producers.set(output, node)
      this.names.add(output)
    }
    for (const input of readNames(node)) {
      this.names.add(input)
      const readers = this.readers.get(input)
      if (readers) readers.add(node)
      else this.readers.set(input, new Set([node]))
    }
  }
}

/** The attribute of that name, `undefined` when the node leaves it at its default. */
export function attribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((entry) => entry.name === name)
}

/** An integer attribute, or `fallback` (the operator's documented default). */
export function intAttribute(node: NodeProto, name: string, fallback: number): number {
  const found = attribute(node, name)
  return found ? Number(found.i) : fallback
}

/** A list of integers, or `undefined` when it is left out. */
export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
  return attribute(node, name)?.ints.map(Number)
}

/** A float attribute, or `fallback`. */
export function floatAttribute(node: NodeProto, name: string, fallback: number): number {
  return attribute(node, name)?.f ?? fallback
}

/** A string attribute, or `fallback`. */
export function stringAttribute(node: NodeProto, name: string, fallback: string): string {
  const found = attribute(node, name)
  return found ? new TextDecoder().decode(found.s) : fallback
}

/** Sub-graphs held by a node's attributes (If, Loop, Scan). */
export function subgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((entry) => [...(entry.g ? [entry.g] : []), ...entry.graphs])
}

/** Every outer tensor a node reads: its inputs and what its sub-graphs capture from outside. */
function readNames(node: NodeProto): string[] {
  const names = node.input.filter((input) => input !== '')
  for (const graph of subgraphs(node)) for (const name of capturedNames(graph)) names.push(name)
  return names
}

/** Every name that a sub-graph and those in it use, so that a fresh name outside does not hide one inside. */
function innerNames(graph: GraphProto): string[] {
  const own = [...graph.input, ...graph.output, ...graph.initializer, ...graph.valueInfo].map(({ name }) => name)
  return [...own, ...graph.node.flatMap((node) => [node.name, ...node.output, ...subgraphs(node).flatMap(innerNames)])]
}

/** What a sub-graph reads and does not make itself, in whatever order its nodes stand. */
function capturedNames(graph: GraphProto): string[] {
  const own = new Set([...graph.input, ...graph.initializer].map(({ name }) => name))
  for (const { values } of graph.sparseInitializer) if (values) own.add(values.name)
  for (const node of graph.node) for (const output of node.output) own.add(output)
  const captured: string[] = []
  for (const node of graph.node) for (const name of readNames(node)) if (!own.has(name)) captured.push(name)
  for (const { name } of graph.output) if (!own.has(name)) captured.push(name)
  return captured
}

/** Nodes so ordered that every tensor is written before it is read (what is in order stays), `undefined` when there is a cycle. */
export function orderNodes(nodes: readonly NodeProto[]): NodeProto[] | undefined {
  const producers = new Map<string, NodeProto>()
  for (const node of nodes) for (const output of node.output) if (output !== '') producers.set(output, node)
  const sorted: NodeProto[] = []
  const state = new Map<NodeProto, 'open' | 'done'>()
  // Depth first without recursion: a chain may be as long as the graph.
  const open: { node: NodeProto; before: NodeProto[] }[] = []
  const enter = (node: NodeProto) => {
    state.set(node, 'open')
    open.push({
      node,
      before: readNames(node)
        .flatMap((name) => producers.get(name) ?? [])
        .reverse(),
    })
  }
  for (const root of nodes) {
    if (!state.has(root)) enter(root)
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const next = top.before.pop()
      if (!next) {
        state.set(top.node, 'done')
        sorted.push(top.node)
        open.pop()
      } else if (state.get(next) === 'open') return undefined
      else if (!state.has(next)) enter(next)
    }
  }
  return sorted
}
