import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import { choleskyFactor, choleskySolve } from '../../linear-algebra/cholesky.ts'
import { Graph } from '../../onnx/graph.ts'
import type { TensorFact } from '../../onnx/shapes.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import type { ChannelLayer } from './channel-coupling.ts'
import { collectSums, type GroupSums, ROUND_VALUES, type SummedLayer, spacingFor } from './layer-sums.ts'
import { type LayerMatrices, type LayerOffset, layerMatrices, layerOffset, writeMatrices, writeOffset } from './layer-weights.ts'

/** Larger layers are not re-fitted: beyond it the solution takes minutes. */
export const MAX_FITTED_INPUTS = 2304
/** Rows worth adding up, for each weight of a channel and at least: more change the result less than other samples would. */
const ROWS_PER_WEIGHT = 64
const FEWEST_ROWS = 2 ** 15
/** Added to the diagonal as a share of its mean: pulls weights that the samples say nothing about towards what they were. */
const DAMPING = 1e-3
/** Times the samples are run at most: layers of deep models are fitted several at a time. */
const MAX_ROUNDS = 24

/** A layer to fit and which of the reference layer's output channels it still has. */
export interface FittedLayer {
  readonly layer: ChannelLayer
  readonly channels: readonly number[]
}

/** What a re-fit works with. */
export interface RefitContext {
  readonly reference: ModelProto
  /** Shapes of the reference's tensors on the samples. */
  readonly facts: ReadonlyMap<string, TensorFact>
  readonly samples: CalibrationSamples
  readonly runtime: InferenceRuntime
  readonly progress: (done: number, total: number) => void
}

/**
 * Fits weights and biases of the layers, from the first to the last, so that each gives what the reference's layer gives, from the inputs it
 * has in `model` as fitted so far: ΔW = (H + λI)⁻¹ (Cov(x, y) − H·W) with H the covariance of its inputs, and the bias from the means.
 *
 * @param model is changed
 * @returns names of the nodes that were fitted
 * @throws the runtime's errors
 */
export async function refitLayers(model: ModelProto, layers: readonly FittedLayer[], context: RefitContext): Promise<string[]> {
  const graph = new Graph(model)
  const fitted: string[] = []
  const rounds = inRounds(layers.flatMap((layer) => fittable(graph, layer, context) ?? []))
  for (const [round, entries] of rounds.entries()) {
    // Read again: the rounds before have changed them.
    const current = entries.map(({ layer }) => fittable(graph, layer, context)!)
    let done = round * context.samples.feeds
    const sums = await collectSums(
      graph.model,
      context.reference,
      current.map(({ summed }) => summed),
      context.samples,
      context.runtime,
      () => context.progress(++done, rounds.length * context.samples.feeds),
    )
    for (const { summed, offset } of current) {
      const found = sums.get(summed.matrices.node.name)
      if (found && fit(graph, summed.matrices, offset, found)) fitted.push(summed.matrices.node.name)
    }
  }
  return fitted
}

interface Fittable {
  readonly layer: FittedLayer
  readonly summed: SummedLayer
  readonly offset: LayerOffset | undefined
}

function fittable(graph: Graph, layer: FittedLayer, { facts, samples }: RefitContext): Fittable | undefined {
  const matrices = layerMatrices(graph, layer.layer)
  if (!matrices || matrices.inputs > MAX_FITTED_INPUTS) return undefined
  const offset = layerOffset(graph, matrices.node)
  const dims = facts.get(matrices.node.output[0]!)?.shape
  if (!dims?.every((dim) => typeof dim === 'number')) return undefined
  const tensor = offset?.output ?? matrices.node.output[0]!
  const spacing = spacingFor(matrices.node, dims as number[], Math.max(FEWEST_ROWS, ROWS_PER_WEIGHT * matrices.inputs) / samples.feeds)
  return { layer, offset, summed: { matrices, spacing, target: { tensor, rank: dims.length, channels: layer.channels } } }
}

/** Layers in order, in at most {@link MAX_ROUNDS} parts none of which takes too much memory. */
function inRounds(layers: readonly Fittable[]): Fittable[][] {
  const rounds: Fittable[][] = []
  const most = Math.ceil(layers.length / MAX_ROUNDS)
  let values = 0
  for (const entry of layers) {
    const { inputs, outputs, values: groups } = entry.summed.matrices
    const own = groups.length * (inputs + 1) * (inputs + 1 + outputs)
    if (rounds.length === 0 || rounds.at(-1)!.length >= most || values + own > ROUND_VALUES) {
      rounds.push([])
      values = 0
    }
    rounds.at(-1)!.push(entry)
    values += own
  }
  return rounds
}

function fit(graph: Graph, matrices: LayerMatrices, offset: LayerOffset | undefined, sums: readonly GroupSums[]): boolean {
  const { inputs, outputs, values } = matrices
  const solved = values.map((weights, group) => solveLayer(weights, sums[group]!, inputs, outputs, offset !== undefined))
  if (!solved.every((entry) => entry !== undefined)) return false
  writeMatrices(
    graph,
    matrices,
    solved.map(({ weights }) => weights),
  )
  if (offset) writeOffset(graph, matrices.node, offset, Float32Array.from(solved.flatMap(({ bias }) => [...bias])))
  return true
}

/** Weights and bias of one group; `undefined` when the samples do not determine them. */
export function solveLayer(
  before: Float64Array,
  { xx, xy }: GroupSums,
  inputs: number,
  outputs: number,
  withOffset: boolean,
): { readonly weights: Float64Array; readonly bias: Float64Array } | undefined {
  const width = inputs + 1
  const rows = xx[width * width - 1]!
  const meanX = xx.slice(inputs * width, inputs * width + inputs).map((sum) => (withOffset ? sum / rows : 0))
  const meanY = xy.slice(inputs * outputs).map((sum) => (withOffset ? sum / rows : 0))
  const moments = covariance(xx, inputs)
  if (!withOffset) for (let i = 0; i < inputs; i++) for (let j = 0; j < inputs; j++) moments[i * inputs + j] = xx[i * width + j]! / rows
  const change = new Float64Array(inputs * outputs)
  for (let i = 0; i < inputs; i++) {
    for (let column = 0; column < outputs; column++)
      change[i * outputs + column] = xy[i * outputs + column]! / rows - meanX[i]! * meanY[column]!
    for (let j = 0; j < inputs; j++) {
      const factor = moments[i * inputs + j]!
      if (factor !== 0)
        for (let column = 0; column < outputs; column++)
          change[i * outputs + column] = change[i * outputs + column]! - factor * before[j * outputs + column]!
    }
  }
  damp(moments, inputs, DAMPING)
  const factor = choleskyFactor(moments, inputs)
  if (!factor) return undefined
  choleskySolve(factor, inputs, change, outputs)
  const weights = before.map((value, index) => value + change[index]!)
  const bias = Float64Array.from({ length: outputs }, (_, column) => {
    let value = meanY[column]!
    for (let i = 0; i < inputs; i++) value -= weights[i * outputs + column]! * meanX[i]!
    return value
  })
  return weights.every(Number.isFinite) && bias.every(Number.isFinite) ? { weights, bias } : undefined
}

/** Covariance of the inputs from their sums, [inputs, inputs]. */
export function covariance(xx: Float64Array, inputs: number): Float64Array {
  const width = inputs + 1
  const rows = xx[width * width - 1]!
  const result = new Float64Array(inputs * inputs)
  for (let i = 0; i < inputs; i++)
    for (let j = 0; j < inputs; j++)
      result[i * inputs + j] = xx[i * width + j]! / rows - (xx[inputs * width + i]! / rows) * (xx[inputs * width + j]! / rows)
  return result
}

/** Adds a share of the mean diagonal to it, in place; an all-zero matrix becomes the identity. */
export function damp(matrix: Float64Array, size: number, share: number): void {
  let mean = 0
  for (let index = 0; index < size; index++) mean += matrix[index * (size + 1)]! / size
  const added = mean > 0 ? mean * share : 1
  for (let index = 0; index < size; index++) matrix[index * (size + 1)] = matrix[index * (size + 1)]! + added
}
