import type { GraphToLayOut } from './layout-graph.ts'

/** A graph by layers; nodes by their place in the list, not by id. */
export interface GraphLayers {
  /** Nodes of each layer, in graph order. */
  readonly layers: readonly (readonly number[])[]
  readonly layerOf: Int32Array
  readonly producers: readonly (readonly number[])[]
  readonly consumers: readonly (readonly number[])[]
}

/**
 * Longest-path layering in linear time: a node stands one below its deepest producer. What hangs on no producer but its own chain (a
 * weight's DequantizeLinear, a computed shape) is moved down to right above its first consumer.
 */
export function graphLayers({ nodes, edges }: GraphToLayOut): GraphLayers {
  const placeOf = new Map(nodes.map(({ id }, place) => [id, place]))
  const consumers: number[][] = nodes.map(() => [])
  const producers: number[][] = nodes.map(() => [])
  const given: number[][] = nodes.map(() => [])
  const seen = new Set<number>()
  for (const [from, to] of edges) {
    const [a, b] = [placeOf.get(from), placeOf.get(to)]
    const key = (a ?? 0) * nodes.length + (b ?? 0)
    if (a === undefined || b === undefined || a === b || seen.has(key)) continue
    seen.add(key)
    given[a]!.push(b)
  }
  const order = topologicalOrder(given)
  const rank = new Int32Array(nodes.length)
  for (const [position, node] of order.entries()) rank[node] = position
  for (const [node, list] of given.entries()) {
    for (const consumer of list) {
      // An edge that closes a cycle would lead up.
      if (rank[consumer]! < rank[node]!) continue
      consumers[node]!.push(consumer)
      producers[consumer]!.push(node)
    }
  }
  const layerOf = new Int32Array(nodes.length)
  for (const node of order) for (const consumer of consumers[node]!) layerOf[consumer] = Math.max(layerOf[consumer]!, layerOf[node]! + 1)
  moveDown(order, producers, consumers, layerOf)
  const depth = layerOf.reduce((deepest, layer) => Math.max(deepest, layer + 1), 0)
  const layers: number[][] = Array.from({ length: depth }, () => [])
  for (const [node, layer] of layerOf.entries()) layers[layer]!.push(node)
  return { layers, layerOf, producers, consumers }
}

/** Kahn's order; where a cycle leaves nothing without producers, the first remaining node in the list goes next. */
function topologicalOrder(consumers: readonly (readonly number[])[]): number[] {
  const waiting = new Int32Array(consumers.length)
  for (const list of consumers) for (const node of list) waiting[node]!++
  const placed = new Uint8Array(consumers.length)
  const order: number[] = []
  const ready: number[] = []
  const place = (node: number): void => {
    placed[node] = 1
    order.push(node)
    for (const consumer of consumers[node]!) if (--waiting[consumer]! === 0 && !placed[consumer]) ready.push(consumer)
  }
  for (const [node, count] of waiting.slice().entries()) if (count === 0) ready.push(node)
  let next = 0
  let first = 0
  while (order.length < consumers.length) {
    if (next < ready.length) {
      const node = ready[next++]!
      if (!placed[node]) place(node)
    } else {
      while (placed[first]) first++
      place(first)
    }
  }
  return order
}

function moveDown(
  order: readonly number[],
  producers: readonly (readonly number[])[],
  consumers: readonly (readonly number[])[],
  layerOf: Int32Array,
): void {
  const sideChain = new Uint8Array(order.length)
  for (const node of order) {
    const [producer, ...others] = producers[node]!
    sideChain[node] = producer === undefined || (others.length === 0 && sideChain[producer] && consumers[producer]!.length === 1) ? 1 : 0
  }
  for (const node of [...order].reverse()) {
    const [first, ...others] = consumers[node]!
    if (!sideChain[node] || first === undefined) continue
    layerOf[node] = others.reduce((highest, consumer) => Math.min(highest, layerOf[consumer]!), layerOf[first]!) - 1
  }
}
