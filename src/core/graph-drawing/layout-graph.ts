import { FreeLanes } from './free-lanes.ts'
import { graphLayers } from './graph-layers.ts'

/** A graph as it is laid out. Ids are any distinct numbers; edges are producer and consumer. */
export interface GraphToLayOut {
  readonly nodes: readonly { readonly id: number }[]
  readonly edges: readonly (readonly [number, number])[]
}

/** A cell: `y` is the layer (0 on top), `x` the lane (0 on the left). */
export interface GraphCell {
  readonly x: number
  readonly y: number
}

/**
 * Places the nodes of a graph in a grid, one a cell, every consumer below its producers (longest-path layering).
 *
 * A chain stays in its lane. An edge over several layers keeps the lane of its producer free down to the layer above its last
 * consumer, so that it can be drawn straight down and cross over there without running through a node: what stands beside a skip
 * connection moves one lane to the right and comes back where both join. Nodes without producers (weights, shapes) stand right above
 * their first consumer.
 *
 * Time grows with n log n. Edges with an unknown end, self-edges and edges that close a cycle are passed over.
 *
 * @returns cells in the order of `nodes`
 */
export function layoutGraph(graph: GraphToLayOut): GraphCell[] {
  const { layers, layerOf, producers, consumers } = graphLayers(graph)
  const lanes = new Int32Array(graph.nodes.length).fill(-1)
  /** Lane of the producer that was placed first, by consumer: beside it stands what else the consumer reads. */
  const besideLane = new Int32Array(graph.nodes.length).fill(-1)
  const free = new FreeLanes(graph.nodes.length)

  const wantedLane = (node: number, layer: number): number => {
    const reads = producers[node]!
    if (reads.length === 0) return Math.max(0, besideLane[consumers[node]![0] ?? -1] ?? 0)
    let open = -1
    let nearest = reads[0]!
    for (const producer of reads) {
      const lane = lanes[producer]!
      if (free.isFree(lane, layer) && (open < 0 || lane < open)) open = lane
      if (layerOf[producer]! > layerOf[nearest]!) nearest = producer
    }
    return open < 0 ? lanes[nearest]! : open
  }

  for (const [layer, members] of layers.entries()) {
    const wishes = members.map((node) => ({ node, lane: wantedLane(node, layer), source: producers[node]!.length === 0 }))
    // What continues a chain comes first: it should keep its lane. Sort is stable, so ties stay in graph order.
    wishes.sort((a, b) => Number(a.source) - Number(b.source) || a.lane - b.lane)
    for (const { node, lane: wanted, source } of wishes) {
      // Its consumer's other producer may only just have been placed, in this layer.
      const from = source ? wantedLane(node, layer) : wanted
      const last = consumers[node]!.reduce((deepest, consumer) => Math.max(deepest, layerOf[consumer]!), 0)
      const lane = free.take(from, layer, Math.max(layer, last - 1))
      lanes[node] = lane
      for (const consumer of consumers[node]!) if (besideLane[consumer]! < 0) besideLane[consumer] = lane
    }
  }
  return graph.nodes.map((_, node) => ({ x: lanes[node]!, y: layerOf[node]! }))
}
