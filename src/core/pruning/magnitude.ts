import type { ModelProto } from 'onnx-buf'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph } from '../onnx/graph.ts'
import { requireFloatModel } from '../quantization/already-quantized.ts'
import { exclusion } from '../quantization/exclusion.ts'
import type { SkippedNode } from '../quantization/fusable-units.ts'
import { nameNodes } from '../quantization/prepare-model.ts'
import { smallestWeights } from './smallest-weights.ts'
import { findPrunable, type PrunableWeight, type PruningCandidates, zeroShare, zeroWhere } from './weight-pruning-candidates.ts'

/** Settings of magnitude pruning. */
export interface PruneOptions {
  /** Share of weights to set to zero, between 0 and 1. */
  readonly sparsity: number
  /** `global`: the smallest weights of the whole model; `layer`: the same share of each layer. */
  readonly scope: 'global' | 'layer'
  /** Node names, operator types or patterns to leave as they are. */
  readonly exclude: readonly string[]
}

/** A pruned model and what was done to it. */
export interface PrunedModel {
  readonly model: ModelProto
  /** Nodes whose weights were pruned, by name, in graph order. */
  readonly pruned: readonly string[]
  readonly skipped: readonly SkippedNode[]
  /** Share of the pruned nodes' weights that is zero now. */
  readonly sparsity: number
}

/**
 * Sets the smallest weights of Conv (depthwise ones left out), ConvTranspose, Gemm and MatMul to zero, in the main graph and in
 * sub-graphs. Exactly round(sparsity × weights) weights are zero afterwards (more where the model had more zeros before); among equal
 * ones those earlier in the file go first. The tensors keep shape and type: only the compressed file becomes smaller, kernels take
 * as long as before.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when the model is quantized or has no such weights
 */
export function pruneByMagnitude(source: ModelProto, { sparsity, scope, exclude }: PruneOptions): PrunedModel {
  const { graph, weights, pruned, skipped } = copyForPruning(source, exclude)
  for (const group of scope === 'global' ? [weights] : weights.map((weight) => [weight])) zeroSmallest(group, sparsity)
  return { model: graph.model, pruned, skipped, sparsity: zeroShare(weights) }
}

/**
 * A copy of the model with what may be pruned in it.
 * @throws CoreError `RECIPE_NOT_APPLICABLE` as {@link pruneByMagnitude}
 */
export function copyForPruning(source: ModelProto, exclude: readonly string[]): PruningCandidates & { readonly graph: Graph } {
  const graph = new Graph(cloneModel(source))
  const scopes = graph.scopes()
  for (const scope of scopes) {
    requireFloatModel(scope)
    nameNodes(scope)
  }
  return { graph, ...findPrunable(scopes, exclusion(exclude)) }
}

/** Sets the smallest share of all these weights together to zero. */
export function zeroSmallest(weights: readonly PrunableWeight[], sparsity: number): void {
  const total = weights.reduce((sum, { values }) => sum + values.length, 0)
  const { threshold, ties } = smallestWeights(
    weights.map(({ values }) => values),
    Math.round(sparsity * total),
  )
  let left = ties
  for (const { tensor, values } of weights) {
    for (let index = 0; index < values.length; index++) {
      const size = Math.abs(values[index]!)
      if (size > threshold || (size === threshold && left === 0)) continue
      if (size === threshold) left--
      values[index] = 0
    }
    zeroWhere(tensor, values)
  }
}
