import type { NodeProto } from 'onnx-buf'
import { type CorrespondingKernels, correspondingKernels, sourceNodes } from './corresponding-nodes.ts'
import { type DrawnGraph, drawnGraph } from './drawn-graph.ts'
import { kernelPrecision } from './kernel-precision.ts'
import { inGraphOrder } from './layer-order.ts'
import { kernelLabel, type ModelProfile, mainNode, type ProfiledKernel } from './model-profile.ts'
import type { TensorDistance } from './tensor-distance.ts'

interface LayerSide {
  readonly ms: number
  readonly kernels: string[]
  readonly precision: string
}

/** Two models layer by layer; the contract's `layerComparisonSchema` adds totals, samples and machine. */
export interface ComparedLayers {
  readonly layers: {
    readonly layer: string
    readonly op: string
    readonly baseline: LayerSide | null
    readonly build: LayerSide | null
    readonly lostMs: number
    readonly sqnrDb: number | null
    readonly maxAbsDiff: number | null
  }[]
  readonly baselineGraph: DrawnGraph
  readonly buildGraph: DrawnGraph
}

/**
 * Two profiles of one machine beside each other, layer by layer, with the distance of each layer's last tensor that both models have.
 *
 * @param distances by tensor of the baseline
 */
export function compareLayers(baseline: ModelProfile, build: ModelProfile, distances: ReadonlyMap<string, TensorDistance>): ComparedLayers {
  const rows = inGraphOrder(correspondingKernels(baseline, build), baseline, build)
  const placeOf = new Map(baseline.graph.nodes.map((node, place) => [node, place]))
  const layers = rows.map((row) => {
    const distance = lastDistance(row, placeOf, distances)
    return {
      layer: row.node,
      op: mainNode(row.sources)?.opType ?? mainNode(row.build.flatMap(({ nodes }) => nodes))?.opType ?? firstOperator(row),
      baseline: sideOf(row.baseline, row.baselineMs),
      build: sideOf(row.build, row.buildMs),
      lostMs: row.lostMs,
      sqnrDb: distance?.sqnrDb ?? null,
      maxAbsDiff: distance?.maxAbsDiff ?? null,
    }
  })
  const sources = sourceNodes(baseline.graph, build.graph)
  const matched = new Set(sources.values())
  const layerOf = new Map(rows.flatMap((row) => row.sources.map((node) => [node, row.node] as const)))
  const sqnrOf = (node: NodeProto | undefined): number | null => {
    const written = node?.output.flatMap((name) => distances.get(name) ?? [])
    return written?.[0]?.sqnrDb ?? null
  }
  return {
    layers,
    baselineGraph: drawnGraph(baseline, {
      layerOf: (node) => (matched.has(node) ? (layerOf.get(node) ?? null) : null),
      sqnrOf,
    }),
    buildGraph: drawnGraph(build, {
      layerOf: (node) => layerOf.get(sources.get(node)!) ?? null,
      sqnrOf: (node) => sqnrOf(sources.get(node)),
    }),
  }
}

function sideOf(kernels: readonly ProfiledKernel[], ms: number): LayerSide | null {
  const [first, ...others] = kernels
  if (!first) return null
  const longest = others.reduce((slowest, kernel) => (kernel.ms > slowest.ms ? kernel : slowest), first)
  return { ms, kernels: [...new Set(kernels.map(kernelLabel))], precision: kernelPrecision(longest) }
}

/** Of the last tensor of a layer that both models have. */
function lastDistance(
  { sources }: CorrespondingKernels,
  placeOf: ReadonlyMap<NodeProto, number>,
  distances: ReadonlyMap<string, TensorDistance>,
): TensorDistance | undefined {
  const fromTheEnd = [...sources].sort((a, b) => (placeOf.get(b) ?? 0) - (placeOf.get(a) ?? 0))
  return fromTheEnd.flatMap(({ output }) => output.flatMap((name) => distances.get(name) ?? []))[0]
}

function firstOperator({ baseline, build }: CorrespondingKernels): string {
  return [...baseline, ...build][0]?.op ?? ''
}
