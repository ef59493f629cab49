import type { ActivationGrid } from '../../core/explanation/corresponding-tensors.ts'
import type { RuntimeTensor } from '../../core/inference-runtime.ts'
import type { Graph } from '../../core/onnx/graph.ts'
import type { ExposedLayer } from '../../core/parity/exposed-layers.ts'
import type { LayerValues } from '../../core/parity/machine-outputs.ts'
import { keptSizes, thinningStride } from '../../core/parity/thin-values.ts'
import { ProbedModel } from '../../core/quantization/calibration/probed-model.ts'
import { encodeWithOutputs } from '../../core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../runtimes/onnx-runtime.ts'
import type { OutputFeeds } from './output-feeds.ts'
import { asFloats, joinedFloats } from './output-values.ts'

/** Values of inner tensors that leave the machine: 16 MiB as float32. */
const MOST_KEPT = 4 * 2 ** 20
/** Values held beside each other in one pass: 64 MiB as float32. */
const MOST_HELD = 2 ** 24
/** Tensors given out in one pass. */
const MOST_TENSORS = 500

/** Inner tensors of a model. */
export interface CollectedLayers {
  readonly layers: LayerValues[]
  /** Layers of which only some values are kept. */
  readonly thinned: number
  /** The model's outputs of the first feed in each pass: giving out tensors may change how the model runs. */
  readonly firstOutputs: readonly Readonly<Record<string, RuntimeTensor>>[]
}

/**
 * Runs a model with its inner tensors given out, optimized as far as that allows, on the first feeds. Tensors are taken in groups, each with a
 * pass of its own, so that the values held at once stay below 2²⁴; of each tensor every n-th value is kept, so that all of them together are 2²² at
 * most. Sizes alone decide which, so that every machine keeps the same ones.
 *
 * @param onRun called after each run with runs done and runs there will be; may throw to stop
 * @throws the runtime's errors
 */
export async function collectLayers(
  graph: Graph,
  exposed: readonly ExposedLayer[],
  feeds: OutputFeeds,
  { runs, threads }: { readonly runs: number; readonly threads: number },
  onRun: (done: number, total: number) => void,
): Promise<CollectedLayers> {
  const count = Math.min(runs, feeds.feeds)
  if (count === 0 || exposed.length === 0) return { layers: [], thinned: 0, firstOutputs: [] }
  const sizes = await sizesOf(graph, exposed, feeds)
  const kept = keptSizes(sizes, Math.floor(MOST_KEPT / count))
  const keptOf = new Map(exposed.map(({ tensor }, index) => [tensor, Math.max(1, kept[index]!)]))
  const groups = groupedBySize(exposed, sizes)
  const pieces = new Map<string, Float32Array[]>()
  const firstOutputs: Record<string, RuntimeTensor>[] = []
  let done = 0
  for (const group of groups) {
    const tensors = group.map(({ tensor }) => tensor)
    const model = await onnxRuntime.load(encodeWithOutputs(graph.model, tensors), { intraOpThreads: threads })
    try {
      for (let index = 0; index < count; index++) {
        const given = await model.run(feeds.read(index))
        if (index === 0) firstOutputs.push(Object.fromEntries(graph.outputs.map(({ name }) => [name, given[name]!])))
        for (const { tensor, grid } of group) {
          const values = onGrid(asFloats(given[tensor]!).values, grid)
          const stride = thinningStride(values.length, keptOf.get(tensor)!)
          const own = pieces.get(tensor) ?? []
          own.push(everyNth(values, stride))
          pieces.set(tensor, own)
        }
        onRun(++done, groups.length * count)
      }
    } finally {
      await model.close()
    }
  }
  return {
    layers: exposed.map(({ grid, ...layer }) => ({ ...layer, step: grid?.scale ?? null, values: joinedFloats(pieces.get(layer.tensor)!) })),
    thinned: sizes.filter((size, index) => size > kept[index]!).length,
    firstOutputs,
  }
}

async function sizesOf(graph: Graph, exposed: readonly ExposedLayer[], feeds: OutputFeeds): Promise<number[]> {
  const tensors = exposed.map(({ tensor }) => tensor)
  const probed = await ProbedModel.load(graph.model, onnxRuntime, { sizes: tensors })
  try {
    const results = await probed.run(feeds.read(0))
    return tensors.map((tensor) => results.size(tensor))
  } finally {
    await probed.close()
  }
}

function groupedBySize(exposed: readonly ExposedLayer[], sizes: readonly number[]): ExposedLayer[][] {
  const groups: ExposedLayer[][] = []
  let room = 0
  for (const [index, layer] of exposed.entries()) {
    room -= sizes[index]!
    const last = groups.at(-1)
    if (room < 0 || !last || last.length >= MOST_TENSORS) {
      groups.push([layer])
      room = MOST_HELD - sizes[index]!
    } else last.push(layer)
  }
  return groups
}

/** The numbers that stored integers stand for: (q − zeroPoint) · scale (ONNX, DequantizeLinear). */
function onGrid(values: Float32Array, grid: ActivationGrid | null): Float32Array {
  return grid ? values.map((value) => (value - grid.zeroPoint) * grid.scale) : values
}

function everyNth(values: Float32Array, stride: number): Float32Array {
  if (stride === 1) return values
  return Float32Array.from({ length: Math.ceil(values.length / stride) }, (_, index) => values[index * stride]!)
}
