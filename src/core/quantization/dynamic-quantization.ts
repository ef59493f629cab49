import { type ModelProto, type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph, subgraphs } from '../onnx/graph.ts'
import { requireFloatModel } from './already-quantized.ts'
import { constantsToInitializers } from './constants-to-initializers.ts'
import { matchConvolution } from './dynamic-convolution.ts'
import { matchLstm } from './dynamic-lstm.ts'
import type { DynamicContext, DynamicMatch, DynamicRewrite } from './dynamic-match.ts'
import { matchMultiplication } from './dynamic-multiplication.ts'
import { matchTable } from './dynamic-table.ts'
import { DynamicWriter, type WeightLoss } from './dynamic-writer.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { PER_CHANNEL_OPSET, upgradeOpset } from './opset-upgrade.ts'
import { nameNodes, prepareForQuantization } from './prepare-model.ts'
import { inferScopeFacts } from './scope-facts.ts'
import type { QuantizationOptions, QuantizedModel } from './static-quantization.ts'
import { targetRules } from './target-rules.ts'
import { inferTensorFacts } from './tensor-facts.ts'

/** Settings of dynamic quantization. */
export interface DynamicOptions extends QuantizationOptions {
  /** Also store lookup tables in 8 bits. Default true. */
  readonly tables?: boolean
  /** Also quantize convolutions, which is nearly always slower. Default false. */
  readonly convolutions?: boolean
}

/** A dynamically quantized model. */
export interface DynamicallyQuantizedModel extends QuantizedModel {
  readonly weights: readonly WeightLoss[]
}

/** Why operators with weights that this recipe does not touch stay in float32. */
const LEFT_IN_FLOAT: Readonly<Record<string, string>> = {
  Conv: 'with scales found while running, convolutions are slower in 8 bits than in float32 (ConvInteger); int8-static quantizes them',
  ConvTranspose: 'ConvTranspose has no 8-bit kernel in ONNX Runtime',
  Einsum: 'Einsum has no 8-bit kernel in ONNX Runtime',
  GRU: 'GRU has no 8-bit kernel in ONNX Runtime',
  RNN: 'RNN has no 8-bit kernel in ONNX Runtime',
}
/** Operators whose weights may be computed from constants in the file, and the inputs that hold them. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = { Gemm: [1], LSTM: [1, 2], MatMul: [1], Conv: [1] }
/** Operators between a constant and what is made of it: real files have a dozen (gates reordered by Slice and Concat). */
const MAX_FOLDED = 200

/**
 * Stores weights of MatMul, Gemm, LSTM and lookup tables (and of convolutions where asked for) as int8 and quantizes activations
 * while the model runs, in sub-graphs too. No calibration data is needed. Activations are uint8 over their full range, so on x64
 * without VNNI the weights of products have pair-safe scales.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when there is nothing to quantize, the model is quantized already, its opset
 *   cannot be raised, or the target is TensorRT, which has no dynamic quantization
 */
export async function quantizeDynamic(
  source: ModelProto,
  runtime: InferenceRuntime,
  options: DynamicOptions,
): Promise<DynamicallyQuantizedModel> {
  if (options.target === 'tensorrt') {
    throw new CoreError('RECIPE_NOT_APPLICABLE', 'TensorRT has no dynamic quantization.', {
      hint: 'Use int8-static for the target tensorrt.',
    })
  }
  const graph = await prepared(source, runtime)
  const { found, skipped } = await findRewrites(graph, runtime, options)
  if (found.length === 0) throw nothingToQuantize(skipped)
  const writer = new DynamicWriter()
  const weights = found.flatMap(({ rewrite }) => rewrite.write(writer))
  const scopes = [...new Set(found.flatMap(({ scope }) => around(scope)))]
  // Outer graphs look into inner ones for what is read, so they come last.
  for (const scope of scopes.sort((a, b) => around(b).length - around(a).length)) {
    scope.reindex()
    scope.sortTopologically()
    scope.removeUnusedInitializers()
  }
  return { model: graph.model, quantized: found.map(({ rewrite }) => rewrite.node.name), skipped, weights }
}

/** A copy with names for all nodes, at opset 13 or later, with weights as initializers where they are constant. */
async function prepared(source: ModelProto, runtime: InferenceRuntime): Promise<Graph> {
  const graph = new Graph(cloneModel(source))
  for (const scope of graph.scopes()) {
    requireFloatModel(scope)
    nameNodes(scope)
  }
  if (graph.scopes().some(computesWeights)) {
    const { graph: folded } = await prepareForQuantization(graph.model, runtime)
    for (const scope of folded.scopes()) nameNodes(scope)
    return withInitializers(folded)
  }
  if (graph.opset < PER_CHANNEL_OPSET) upgradeOpset(graph, await inferTensorFacts(graph.model, runtime))
  return withInitializers(graph)
}

function withInitializers(graph: Graph): Graph {
  for (const scope of graph.scopes()) constantsToInitializers(scope)
  graph.reindex()
  return graph
}

/** Whether weights are made of constants by other nodes (Transpose, Cast, gates put in another order): ONNX Runtime folds those. */
function computesWeights(graph: Graph): boolean {
  return graph.nodes.some((node) =>
    (WEIGHT_INPUTS[node.opType] ?? []).some((slot) => {
      const name = node.input[slot] ?? ''
      return name !== '' && !graph.constant(name) && isMadeOfConstants(graph, name)
    }),
  )
}

function isMadeOfConstants(graph: Graph, tensor: string): boolean {
  const open = [tensor]
  const seen = new Set(open)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (graph.constant(name)) continue
    const maker = producerAround(graph, name)
    if (!maker || subgraphs(maker).length > 0 || (maker.input.length === 0 && maker.opType !== 'Constant')) return false
    for (const input of maker.input) {
      if (input === '' || seen.has(input)) continue
      if (seen.size >= MAX_FOLDED) return false
      seen.add(input)
      open.push(input)
    }
  }
  return true
}

function producerAround(graph: Graph, tensor: string): NodeProto | undefined {
  return graph.producer(tensor) ?? (graph.parent && !graph.isGraphInput(tensor) ? producerAround(graph.parent, tensor) : undefined)
}

interface Found {
  readonly scope: Graph
  readonly rewrite: DynamicRewrite
}

async function findRewrites(
  graph: Graph,
  runtime: InferenceRuntime,
  options: DynamicOptions,
): Promise<{ readonly found: Found[]; readonly skipped: SkippedNode[] }> {
  const excluded = exclusion(options.exclude, options.include)
  const facts = await inferScopeFacts(graph, runtime)
  const scopes = graph.scopes()
  const found: Found[] = []
  const skipped: SkippedNode[] = []
  for (const [index, scope] of scopes.entries()) {
    const context = { graph: scope, facts: facts[index]!, rules: targetRules(options.target), perChannel: options.perChannel }
    for (const node of scope.nodes) {
      const match = matchNode(node, context, options)
      if (match === undefined) continue
      const reason = excluded(node) ? 'excluded by the recipe' : typeof match === 'string' ? match : undefined
      if (reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason })
      else if (typeof match === 'object') found.push({ scope, rewrite: match })
    }
  }
  const kept = found.filter(({ scope, rewrite }) => {
    const reader = rewrite.node.opType === 'Gather' ? floatReader(rewrite.weights[0]!, scope, found) : undefined
    if (reader === undefined) return true
    skipped.push({ node: rewrite.node.name, op: 'Gather', reason: `its table is also ${reader}, so the file would hold it twice` })
    return false
  })
  return { found: kept, skipped }
}

function matchNode(node: NodeProto, context: DynamicContext, { tables = true, convolutions = false }: DynamicOptions): DynamicMatch {
  const holdsWeights = node.input.some((name) => isMatrix(name, context.graph))
  if (node.domain !== '' && node.domain !== 'ai.onnx')
    return holdsWeights ? `operators of the domain ${node.domain} are left as they are` : undefined
  return (
    matchMultiplication(node, context) ??
    matchLstm(node, context) ??
    (tables ? matchTable(node, context) : undefined) ??
    (convolutions ? matchConvolution(node, context) : undefined) ??
    (holdsWeights ? LEFT_IN_FLOAT[node.opType] : undefined)
  )
}

function isMatrix(name: string, graph: Graph): boolean {
  const constant = name === '' ? undefined : graph.constant(name)
  return constant?.dataType === TensorProto_DataType.FLOAT && constant.dims.length >= 2
}

/** Who goes on reading a tensor in float32, in words; `undefined` when nobody does. */
function floatReader(tensor: string, scope: Graph, found: readonly Found[]): string | undefined {
  const rewritten = new Set(found.flatMap(({ rewrite }) => (rewrite.weights.includes(tensor) ? [rewrite.node] : [])))
  for (const graph of around(scope)) {
    if (graph.isGraphOutput(tensor)) return 'given out'
    const other = graph
      .consumers(tensor)
      .flatMap(flattened)
      .find((node) => node.input.includes(tensor) && !rewritten.has(node))
    if (other) return `read by ${other.opType} "${other.name}" in float32`
  }
  return undefined
}

/** A node and those in its sub-graphs. */
function flattened(node: NodeProto): NodeProto[] {
  return [node, ...subgraphs(node).flatMap((body) => body.node.flatMap(flattened))]
}

/** A graph and those around it, outwards. */
function around(graph: Graph): Graph[] {
  return graph.parent ? [graph, ...around(graph.parent)] : [graph]
}

function nothingToQuantize(skipped: readonly SkippedNode[]): CoreError {
  const reasons = [...new Set(skipped.map(({ op, reason }) => `${op}: ${reason}`))].slice(0, 5).join('; ')
  return new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `The model has no MatMul, Gemm, LSTM or lookup table with constant float32 weights that int8-dynamic could quantize. ${reasons}`.trim(),
    {
      hint: 'Use int8-static with calibration data for convolutional models.',
      details: { skipped: skipped.length },
    },
  )
}
