import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import { Graph } from '../../onnx/graph.ts'
import type { TensorFact } from '../../onnx/shapes.ts'
import { floatValues } from '../../onnx/tensor-values.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import { FIXED } from './channel-classes.ts'
import type { ChannelCoupling, ChannelLayer } from './channel-coupling.ts'
import { collectSums, ROUND_VALUES, type SummedLayer, spacingFor } from './layer-sums.ts'
import { type LayerMatrices, layerMatrices } from './layer-weights.ts'
import { covariance, damp, MAX_FITTED_INPUTS } from './refit.ts'
import type { RemovalProblem } from './removal-order.ts'

/** Share of the mean second moment added to each: what samples of a few rows leave open. */
const DAMPING = 1e-2
/** As in the re-fit. */
const ROWS_PER_WEIGHT = 32
const FEWEST_ROWS = 2 ** 14

/** Samples and what the tensors are like on them. */
export interface LossSamples {
  readonly samples: CalibrationSamples
  readonly facts: ReadonlyMap<string, TensorFact>
  readonly runtime: InferenceRuntime
  readonly progress: (done: number, total: number) => void
}

/**
 * What every layer that reads removable channels loses when they go, see {@link RemovalProblem}. With samples losses are shares of the variance of its
 * output; without, a channel counts by its weights where it is read and where it is made.
 */
export async function removalProblems(
  model: ModelProto,
  coupling: ChannelCoupling,
  given: LossSamples | undefined,
): Promise<RemovalProblem[]> {
  const graph = new Graph(model)
  const readers = coupling.layers.filter(
    ({ kind, input }) => kind !== 'depthwise' && input?.some((label) => coupling.classes.frozen(label) === undefined),
  )
  const solvable = new Map<string, LayerMatrices>()
  for (const layer of readers) {
    const matrices = layerMatrices(graph, layer)
    if (matrices) solvable.set(layer.node, matrices)
  }
  const moments = given ? await collectMoments(model, [...solvable.values()], given) : new Map<string, Float64Array[]>()
  const sizes = given ? new Map<number, number>() : producedSizes(graph, coupling)
  return readers.flatMap((layer) => {
    const matrices = solvable.get(layer.node)
    const found = matrices && problemsOf(coupling, matrices, moments.get(layer.node), sizes)
    return found ?? [plainProblem(graph, coupling, layer, sizes)]
  })
}

async function collectMoments(
  model: ModelProto,
  layers: readonly LayerMatrices[],
  { samples, facts, runtime, progress }: LossSamples,
): Promise<Map<string, Float64Array[]>> {
  const rounds: SummedLayer[][] = []
  let values = Number.POSITIVE_INFINITY
  for (const matrices of layers) {
    const dims = facts.get(matrices.node.output[0]!)?.shape
    if (matrices.inputs > MAX_FITTED_INPUTS || !dims?.every((dim) => typeof dim === 'number')) continue
    const own = matrices.values.length * (matrices.inputs + 1) ** 2
    if (values + own > ROUND_VALUES) {
      rounds.push([])
      values = 0
    }
    values += own
    const rows = Math.max(FEWEST_ROWS, ROWS_PER_WEIGHT * matrices.inputs) / samples.feeds
    rounds.at(-1)!.push({ matrices, spacing: spacingFor(matrices.node, dims as number[], rows), target: undefined })
  }
  const moments = new Map<string, Float64Array[]>()
  let done = 0
  for (const round of rounds) {
    const sums = await collectSums(model, model, round, samples, runtime, () => progress(++done, rounds.length * samples.feeds))
    for (const { matrices } of round) {
      const found = sums.get(matrices.node.name)
      if (found)
        moments.set(
          matrices.node.name,
          found.map(({ xx }) => covariance(xx, matrices.inputs)),
        )
    }
  }
  return moments
}

function problemsOf(
  coupling: ChannelCoupling,
  { layer, inputs, outputs, positions, values }: LayerMatrices,
  moments: readonly Float64Array[] | undefined,
  sizes: ReadonlyMap<number, number>,
): RemovalProblem[] | undefined {
  let energy = 0
  const perGroup = inputs / positions
  const problems = values.map((weights, group) => {
    const second = moments?.[group]
    energy += second ? outputEnergy(second, weights, inputs, outputs) : 0
    const damped = second?.slice()
    if (damped) damp(damped, inputs, DAMPING)
    const rows = new Map<number, number[]>()
    for (let channel = 0; channel < perGroup; channel++) {
      const label = layer.input![group * perGroup + channel]!
      if (label === FIXED) continue
      const name = coupling.classes.find(label)
      const own = Array.from({ length: positions }, (_, position) => channel * positions + position)
      rows.set(name, [...(rows.get(name) ?? []), ...own])
    }
    return { inputs, outputs, moments: damped, weights: second ? weights : scaled(weights, rows, outputs, sizes), rows }
  })
  if (!moments) energy = problems.reduce((sum, { weights }) => sum + weights.reduce((own, value) => own + value * value, 0), 0)
  return problems.map((problem) => ({ ...problem, scale: energy > 0 ? 1 / energy : 0 }))
}

/** tr(Wᵀ H W) */
function outputEnergy(moments: Float64Array, weights: Float64Array, inputs: number, outputs: number): number {
  let sum = 0
  const line = new Float64Array(outputs)
  for (let i = 0; i < inputs; i++) {
    line.fill(0)
    for (let j = 0; j < inputs; j++) {
      const factor = moments[i * inputs + j]!
      if (factor !== 0)
        for (let column = 0; column < outputs; column++) line[column] = line[column]! + factor * weights[j * outputs + column]!
    }
    for (let column = 0; column < outputs; column++) sum += line[column]! * weights[i * outputs + column]!
  }
  return sum
}

/** Weights times how large the channels they read are made. */
function scaled(
  weights: Float64Array,
  rows: ReadonlyMap<number, readonly number[]>,
  outputs: number,
  sizes: ReadonlyMap<number, number>,
): Float64Array {
  const result = weights.slice()
  for (const [name, own] of rows)
    for (const row of own)
      for (let column = 0; column < outputs; column++)
        result[row * outputs + column] = result[row * outputs + column]! * (sizes.get(name) ?? 1)
  return result
}

/** Root mean square of the weights that make each class, relative to their layer's. */
function producedSizes(graph: Graph, coupling: ChannelCoupling): Map<number, number> {
  const sizes = new Map<number, number>()
  for (const layer of coupling.layers) {
    const matrices = layer.output && layerMatrices(graph, layer)
    if (!matrices) continue
    const { inputs, outputs, values } = matrices
    const squares = values.flatMap((weights) =>
      Array.from({ length: outputs }, (_, column) => {
        let sum = 0
        for (let row = 0; row < inputs; row++) sum += weights[row * outputs + column]! ** 2
        return sum
      }),
    )
    const mean = squares.reduce((sum, value) => sum + value, 0) / squares.length
    for (const [index, label] of layer.output!.entries())
      if (label !== FIXED && mean > 0) {
        const name = coupling.classes.find(label)
        sizes.set(name, (sizes.get(name) ?? 1) * Math.sqrt(squares[index]! / mean))
      }
  }
  return sizes
}

/** A layer that is no plain product of rows (a transposed convolution, other element types): channels count by the size of their weights. */
function plainProblem(graph: Graph, coupling: ChannelCoupling, layer: ChannelLayer, sizes: ReadonlyMap<number, number>): RemovalProblem {
  const tensor = graph.initializer(layer.weight)!
  const dims = tensor.dims.map(Number)
  const values = floatValues(tensor)
  const channels = dims[layer.inputAxis]!
  const inner = dims.slice(layer.inputAxis + 1).reduce((product, dim) => product * dim, 1)
  const norms = new Float64Array(channels)
  for (const [index, value] of values.entries())
    norms[Math.floor(index / inner) % channels] = norms[Math.floor(index / inner) % channels]! + value * value
  const rows = new Map<number, number[]>()
  for (let channel = 0; channel < channels; channel++) {
    const label = layer.input![channel]!
    if (label === FIXED) continue
    const name = coupling.classes.find(label)
    rows.set(name, [...(rows.get(name) ?? []), channel])
  }
  const weights = scaled(norms.map(Math.sqrt), rows, 1, sizes)
  const energy = weights.reduce((sum, value) => sum + value * value, 0)
  return { inputs: channels, outputs: 1, moments: undefined, weights, rows, scale: energy > 0 ? 1 / energy : 0 }
}
