import { type ModelProto, type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { Graph, intAttribute, subgraphs } from '../onnx/graph.ts'
import { decodeModel, encodeModel } from '../onnx/model-file.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { requireFloatModel } from '../quantization/already-quantized.ts'
import { exclusion } from '../quantization/exclusion.ts'
import type { SkippedNode } from '../quantization/fusable-units.ts'
import { nameNodes } from '../quantization/prepare-model.ts'
import { smallestWeights } from './smallest-weights.ts'

/** Settings of magnitude pruning. */
export interface PruneOptions {
  /** Share of weights to set to zero, between 0 and 1. */
  readonly sparsity: number
  /** `global`: the smallest weights of the whole model; `layer`: the same share of each layer. */
  readonly scope: 'global' | 'layer'
  /** Node names or operator types to leave as they are. */
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

/** Which input of an operator holds its weights. Bias and normalization are few values that matter much. */
const WEIGHT_SLOT: Readonly<Record<string, number>> = { Conv: 1, ConvTranspose: 1, Gemm: 1, MatMul: 1 }

interface PrunableWeight {
  readonly tensor: TensorProto
  readonly values: Float32Array
}

/**
 * Sets the smallest weights of Conv (depthwise ones left out), ConvTranspose, Gemm and MatMul to zero. Exactly round(sparsity × weights) weights are
 * zero afterwards (more where the model had more zeros before); among equal ones those earlier in the file go first. The
 * tensors keep shape and type: only the compressed file becomes smaller, kernels take as long as before.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when the model is quantized or has no such weights
 */
export function pruneByMagnitude(source: ModelProto, { sparsity, scope, exclude }: PruneOptions): PrunedModel {
  const graph = new Graph(decodeModel(encodeModel(source), 'the model'))
  requireFloatModel(graph)
  nameNodes(graph)
  const { weights, pruned, skipped } = findWeights(graph, exclusion(exclude))
  if (weights.length === 0) {
    const reasons = skipped.slice(0, 5).map(({ node, op, reason }) => `${op} "${node}": ${reason}`)
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      `The model has no Conv, Gemm or MatMul with constant floating point weights to prune. ${reasons.join('; ')}`.trim(),
      {
        details: { skipped: skipped.length },
      },
    )
  }
  for (const group of scope === 'global' ? [weights] : weights.map((weight) => [weight])) zeroSmallest(group, sparsity)
  const total = weights.reduce((sum, { values }) => sum + values.length, 0)
  const zeros = weights.reduce((sum, { values }) => sum + values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0), 0)
  return { model: graph.model, pruned, skipped, sparsity: zeros / total }
}

function findWeights(
  graph: Graph,
  excluded: (node: NodeProto) => boolean,
): { readonly weights: PrunableWeight[]; readonly pruned: string[]; readonly skipped: SkippedNode[] } {
  const weights = new Map<string, PrunableWeight>()
  const pruned: string[] = []
  const skipped: SkippedNode[] = graph.nodes
    .filter((node) => subgraphs(node).length > 0)
    .map(({ name, opType }) => ({ node: name, op: opType, reason: `the sub-graphs of ${opType} are left as they are` }))
  const candidates = graph.nodes.filter(({ opType, domain }) => opType in WEIGHT_SLOT && (domain === '' || domain === 'ai.onnx'))
  const weightName = (node: NodeProto): string => node.input[WEIGHT_SLOT[node.opType]!] ?? ''
  const untouchable = new Set(candidates.filter(excluded).map(weightName))
  for (const node of candidates) {
    const name = weightName(node)
    const tensor = constantTensor(graph, name)
    const reason = skipReason(node, tensor, { excluded: excluded(node), shared: untouchable.has(name) })
    if (reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason })
    else if (tensor) {
      pruned.push(node.name)
      if (!weights.has(name)) weights.set(name, { tensor, values: floatValues(tensor) })
    }
  }
  return { weights: [...weights.values()], pruned, skipped }
}

function skipReason(
  node: NodeProto,
  tensor: TensorProto | undefined,
  { excluded, shared }: { readonly excluded: boolean; readonly shared: boolean },
): string | undefined {
  if (excluded) return 'excluded by the recipe'
  if (!tensor) return 'its weights are computed while the model runs, or are no floating point values'
  if (isDepthwise(node, tensor)) return 'a depthwise convolution has few weights, and each of them matters'
  return shared ? 'it shares its weights with a node that is left as it is' : undefined
}

/**
 * One filter for each channel: 5 % of the weights of the project's mobile network, and half pruned they cost more accuracy
 * than all others together.
 */
function isDepthwise(node: NodeProto, { dims }: TensorProto): boolean {
  const group = intAttribute(node, 'group', 1)
  return node.opType === 'Conv' && group > 1 && Number(dims[0]) === group && dims[1] === 1n
}

/** An initializer, or the tensor inside a Constant node: what is written to it is written to the model. */
function constantTensor(graph: Graph, name: string): TensorProto | undefined {
  const tensor = graph.constant(name)
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  return tensor && [FLOAT, FLOAT16, DOUBLE].includes(tensor.dataType) ? tensor : undefined
}

function zeroSmallest(weights: readonly PrunableWeight[], sparsity: number): void {
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

/** Sets those elements of a floating point tensor to zero that are zero in `values`. The bytes read from the file stay as they are. */
function zeroWhere(tensor: TensorProto, values: Float32Array): void {
  const typed = [tensor.floatData, tensor.int32Data, tensor.doubleData].find((list) => list.length > 0)
  const raw = typed ? new Uint8Array() : new Uint8Array(tensor.rawData)
  const bytesEach = raw.length / values.length
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== 0) continue
    if (typed) typed[index] = 0
    else raw.fill(0, index * bytesEach, (index + 1) * bytesEach)
  }
  if (!typed) tensor.rawData = raw
}
