import type { NodeProto } from 'onnx-buf'
import { elementCount } from '../onnx/tensor-values.ts'
import type { FloatTensor, FlowScope } from './half-flow.ts'
import { type HalfMode, keepsFloatInput } from './half-modes.ts'

/** Nodes with more stored values than this stay in float16: in float32 the file would grow by more than a Cast takes (some 100 bytes). */
const FEW_VALUES = 64
/** Operators that compute much for each value they read: where float16 is faster at all, it is so here. */
const HEAVY: ReadonlySet<string> = new Set(['Attention', 'Conv', 'ConvTranspose', 'Einsum', 'GRU', 'Gemm', 'LSTM', 'MatMul', 'RNN'])
/** Regions with more nodes are left in float16: the search takes casts × nodes steps. */
const MAX_REGION = 2000

/** Either side of the cut: a node of the region, or everything that is float32 (`S`) or float16 (`T`) and stays it. */
type Side = NodeProto | 'S' | 'T'

/**
 * Light float16 nodes next to nodes that must stay in float32, for which float32 takes fewer casts: the smallest set with the
 * fewest casts (a minimum cut between what is float32 and what is float16; a tensor costs one cast when a reader has another type
 * than its producer). Where both take as many, float16 is kept.
 *
 * @param modes of all nodes
 * @param keepIoTypes whether callers feed and get float32
 */
export function floatIslands(
  flow: readonly FlowScope[],
  modes: ReadonlyMap<NodeProto, HalfMode['mode']>,
  keepIoTypes: boolean,
): Set<NodeProto> {
  const opset = flow[0]!.graph.opset
  const free = new Set<NodeProto>()
  for (const scope of flow) for (const node of scope.graph.nodes) if (modes.get(node) === 'half' && isLight(node, scope)) free.add(node)
  const tensors = flow.flatMap((scope) => [...scope.tensors]).filter(({ origin }) => origin !== 'stored')
  const caller: Side = keepIoTypes ? 'S' : 'T'
  const sideOf = (node: NodeProto | undefined): Side => {
    if (!node) return caller
    return free.has(node) ? node : modes.get(node) === 'half' ? 'T' : 'S'
  }
  const edges = tensors.map((tensor): Edge => {
    const readers = tensor.readers.filter(({ node }) => !node || modes.get(node) !== 'either')
    return {
      producer: sideOf(tensor.producer),
      readers: readers.map(({ node, slot }) =>
        node && slot !== undefined && keepsFloatInput(node.opType, slot, opset) ? 'S' : sideOf(node),
      ),
      touchesFloat: [tensor.producer, ...readers.map(({ node }) => node)].some((node) => node && modes.get(node) === 'float'),
    }
  })
  const islands = new Set<NodeProto>()
  for (const region of regions(edges)) for (const node of smallestFloatSide(region)) islands.add(node)
  return islands
}

/** A tensor as the cut sees it. */
interface Edge {
  readonly producer: Side
  readonly readers: readonly Side[]
  /** A node that must stay in float32 makes or reads it. */
  readonly touchesFloat: boolean
}

function isLight(node: NodeProto, scope: FlowScope): boolean {
  if (HEAVY.has(node.opType)) return false
  const stored = node.input.flatMap((name) => scope.tensor(name) ?? []).filter(({ origin }: FloatTensor) => origin === 'stored')
  return stored.every((tensor) => elementCount(tensor.scope.graph.initializer(tensor.name)?.dims ?? []) <= FEW_VALUES)
}

/** Tensors of free nodes, grouped by connected nodes; groups that touch no node in float32 are left out. */
function regions(edges: readonly Edge[]): Edge[][] {
  const touching = new Map<NodeProto, Edge[]>()
  for (const edge of edges) {
    for (const node of freeNodes(edge)) {
      const known = touching.get(node)
      if (known) known.push(edge)
      else touching.set(node, [edge])
    }
  }
  const seen = new Set<NodeProto>()
  const found: Edge[][] = []
  for (const start of touching.keys()) {
    if (seen.has(start)) continue
    seen.add(start)
    const open = [start]
    const region = new Set<Edge>()
    let size = 0
    for (let node = open.pop(); node; node = open.pop()) {
      size++
      for (const edge of touching.get(node)!) {
        region.add(edge)
        for (const next of freeNodes(edge)) {
          if (seen.has(next)) continue
          seen.add(next)
          open.push(next)
        }
      }
    }
    if (size <= MAX_REGION && [...region].some(({ touchesFloat }) => touchesFloat)) found.push([...region])
  }
  return found
}

function freeNodes({ producer, readers }: Edge): NodeProto[] {
  return [producer, ...readers].filter((side) => typeof side === 'object')
}

/**
 * The nodes on the float32 side of the minimum cut that has the fewest of them: those that augmenting paths can still reach.
 * A tensor becomes two vertices, one for each direction of its cast (capacity 1); a reader ties itself to them without limit.
 */
function smallestFloatSide(region: readonly Edge[]): NodeProto[] {
  const network = new FlowNetwork<Side | object>()
  for (const { producer, readers } of region) {
    const [toHalf, toFloat] = [{}, {}]
    network.connect(producer, toHalf, 1)
    network.connect(toFloat, producer, 1)
    for (const reader of new Set(readers)) {
      network.connect(toHalf, reader, Number.POSITIVE_INFINITY)
      network.connect(reader, toFloat, Number.POSITIVE_INFINITY)
    }
  }
  const reached = network.cut('S', 'T')
  const nodes = new Set(region.flatMap(freeNodes))
  return [...nodes].filter((node) => reached.has(node))
}

/** A flow network with whole capacities (Edmonds and Karp's algorithm: shortest augmenting paths). */
class FlowNetwork<V> {
  private readonly capacities = new Map<V, Map<V, number>>()

  connect(from: V, to: V, capacity: number): void {
    if (from === to) return
    this.row(from).set(to, (this.row(from).get(to) ?? 0) + capacity)
    if (!this.row(to).has(from)) this.row(to).set(from, 0)
  }

  /** Pushes as much as fits from source to sink; the vertices that can still be reached from the source. */
  cut(source: V, sink: V): ReadonlySet<V> {
    for (;;) {
      const before = this.reach(source, sink)
      if (!before.has(sink)) return new Set(before.keys())
      for (let to = sink; to !== source; to = before.get(to)!) {
        const from = before.get(to)!
        this.connect(from, to, -1)
        this.connect(to, from, 1)
      }
    }
  }

  /** Breadth first: each vertex reached with the one before it. */
  private reach(source: V, sink: V): Map<V, V> {
    const before = new Map<V, V>([[source, source]])
    const open = [source]
    for (let index = 0; index < open.length && !before.has(sink); index++) {
      const from = open[index]!
      for (const [to, capacity] of this.row(from)) {
        if (capacity <= 0 || before.has(to)) continue
        before.set(to, from)
        open.push(to)
      }
    }
    return before
  }

  private row(vertex: V): Map<V, number> {
    const known = this.capacities.get(vertex)
    if (known) return known
    const row = new Map<V, number>()
    this.capacities.set(vertex, row)
    return row
  }
}
