import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../inference-runtime.ts'
import type { CalibrationSamples } from '../quantization/calibration-samples.ts'
import { findLayers, type Layer, sumRows } from './row-sums.ts'

/** What a layer's inputs look like on the samples. */
export interface LayerGram {
  /** K: weights of one output channel (of a group). */
  readonly size: number
  /** Σ x·xᵀ over all rows, [K, K], symmetric. Not divided, not damped. */
  readonly values: Float64Array
  /** Rows that were added up. */
  readonly rows: number
  /** Mean of each of the K columns. */
  readonly means: Float64Array
}

/** Grams of one node: one for each group of a convolution. */
export interface NodeGrams {
  readonly node: string
  readonly grams: readonly LayerGram[]
}

/** Larger layers have no Gram matrix: factoring its inverse took 4.5 s at 2304, and takes eight times as long at twice the size. */
export const MAX_GRAM_SIZE = 2304
/** Values of the Gram matrices of one round, 64 MiB in float64: layers beyond it wait for the next round. */
const ROUND_VALUES = 2 ** 23

/**
 * Gram matrices of the inputs of layers of the main graph: H = Σ x·xᵀ and the mean of x over all rows of all feeds. ONNX Runtime
 * multiplies, in float32 within a feed (it is the BLAS: 68 GFLOPS against 0.6 in JavaScript); feeds are added up in float64.
 * Positions of large feature maps are thinned out evenly, so that a patch matrix stays below 64 MiB.
 *
 * All matrices are held at once; {@link gramsInTurn} takes a model layer by layer.
 *
 * @param nodes names of Conv, MatMul or Gemm nodes with constant weights; others, and layers with K beyond
 *   {@link MAX_GRAM_SIZE}, are missing in the result, as are layers that never ran or whose inputs held NaN or infinity
 * @param progress called after each feed with the number done
 * @throws the runtime's errors
 */
export async function collectGrams(
  model: ModelProto,
  nodes: readonly string[],
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: (done: number) => void = () => {},
): Promise<Map<string, LayerGram[]>> {
  return sumRows(model, layersWithGram(model, nodes), 'products', samples, runtime, progress)
}

/**
 * The Gram matrices of many layers, a few at a time: memory is bounded by the largest layer, however deep the model is.
 * Each round runs the part of the model that its layers need.
 *
 * @param progress called with the runs of the samples done and to be done
 */
export async function* gramsInTurn(
  model: ModelProto,
  nodes: readonly string[],
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: (done: number, total: number) => void = () => {},
): AsyncGenerator<NodeGrams> {
  const rounds = inRounds(layersWithGram(model, nodes))
  const total = rounds.length * samples.feeds
  for (const [round, names] of rounds.entries()) {
    const grams = await collectGrams(model, names, samples, runtime, (done) => progress(round * samples.feeds + done, total))
    for (const [node, ofNode] of grams) yield { node, grams: ofNode }
  }
}

/** Σ x² of each column of the inputs of layers: the diagonal of H, for layers of any size. Otherwise as {@link collectGrams}. */
export async function collectSquares(
  model: ModelProto,
  nodes: readonly string[],
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<Map<string, LayerGram[]>> {
  return sumRows(model, findLayers(model, nodes), 'squares', samples, runtime)
}

/** The Gram matrix of the rows of both, for nodes that share their weights. */
export function addGrams(a: LayerGram, b: LayerGram): LayerGram {
  const rows = a.rows + b.rows
  return {
    size: a.size,
    rows,
    values: a.values.map((value, index) => value + b.values[index]!),
    means: a.means.map((mean, index) => (mean * a.rows + b.means[index]! * b.rows) / rows),
  }
}

function layersWithGram(model: ModelProto, names: readonly string[]): Layer[] {
  return findLayers(model, names).filter(({ size }) => size <= MAX_GRAM_SIZE)
}

function inRounds(layers: readonly Layer[]): string[][] {
  const rounds: string[][] = []
  let values = Number.POSITIVE_INFINITY
  for (const { node, size, groups } of layers) {
    const own = groups * size * size
    if (values + own > ROUND_VALUES) {
      rounds.push([])
      values = 0
    }
    rounds.at(-1)!.push(node.name)
    values += own
  }
  return rounds
}
