import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { kernelPrecision } from './kernel-precision.ts'
import { type ModelProfile, mainNode, nodeLabel, type ProfiledKernel } from './model-profile.ts'

/** Beyond this a drawing shows nothing that a list does not show better. */
const MOST_NODES = 20_000

/** A node as it is drawn; the contract's `drawnNodeSchema` describes the same. */
export interface DrawnNode {
  readonly id: number
  readonly name: string
  readonly op: string
  readonly layer: string | null
  readonly ms: number | null
  readonly precision: string | null
  readonly sqnrDb: number | null
}

/** A graph to draw: nodes of the main graph without constants, edges from producer to consumer by id. */
export interface DrawnGraph {
  readonly nodes: DrawnNode[]
  readonly edges: [number, number][]
  readonly truncated: boolean
}

/** What is written on the nodes. */
export interface NodeMarks {
  /** The layer of a comparison that a node belongs to. */
  readonly layerOf: (node: NodeProto) => string | null
  readonly sqnrOf: (node: NodeProto) => number | null
}

/** The graph of a profiled model with times and precision on its nodes: a kernel's time stands on its main node, the others have none. */
export function drawnGraph({ graph, kernels }: Pick<ModelProfile, 'graph' | 'kernels'>, { layerOf, sqnrOf }: NodeMarks): DrawnGraph {
  const shown = graph.nodes.filter(({ opType }) => opType !== 'Constant')
  const nodes = shown.slice(0, MOST_NODES)
  const ids = new Map(nodes.map((node, id) => [node, id]))
  const timings = timesOf(kernels)
  const precisions = new Map(kernels.flatMap((kernel) => kernel.nodes.map((node) => [node, kernelPrecision(kernel)] as const)))
  return {
    nodes: nodes.map((node, id) => ({
      id,
      name: nodeLabel(node),
      op: node.opType,
      layer: layerOf(node),
      ms: timings.get(node) ?? null,
      precision: precisions.get(node) ?? null,
      sqnrDb: sqnrOf(node),
    })),
    edges: edgesOf(graph, ids),
    truncated: shown.length > nodes.length,
  }
}

function timesOf(kernels: readonly ProfiledKernel[]): ReadonlyMap<NodeProto, number> {
  const times = new Map<NodeProto, number>()
  for (const { nodes, ms } of kernels) {
    const main = mainNode(nodes)
    if (main) times.set(main, (times.get(main) ?? 0) + ms)
  }
  return times
}

function edgesOf(graph: Graph, ids: ReadonlyMap<NodeProto, number>): [number, number][] {
  const edges: [number, number][] = []
  for (const [node, from] of ids) {
    const readers = new Set(node.output.flatMap((name) => (name === '' ? [] : graph.consumers(name))))
    for (const reader of readers) {
      const to = ids.get(reader)
      if (to !== undefined) edges.push([from, to])
    }
  }
  return edges
}
