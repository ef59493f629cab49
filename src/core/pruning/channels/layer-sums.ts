import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, type ModelProto, ModelProtoSchema, type NodeProto } from 'onnx-buf'
import type { InferenceRuntime, NamedTensors, RuntimeTensor } from '../../inference-runtime.ts'
import { appendRows } from '../../linear-algebra/layer-rows.ts'
import { makeValueInfo } from '../../onnx/builders.ts'
import { Graph } from '../../onnx/graph.ts'
import { makeTensor } from '../../onnx/tensor-values.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import { capturedTensors } from '../../quantization/captured-tensors.ts'
import { encodeWithOutputs } from '../../quantization/tensor-facts.ts'
import type { LayerMatrices } from './layer-weights.ts'
import { depthwiseRows, NodeBuilder, targetRows } from './product-nodes.ts'

/** Sums of products over all rows of all samples, for one group of a layer. Rows have a 1 appended: the last row and column hold plain sums, the corner counts rows. */
export interface GroupSums {
  /** Σ (x,1)(x,1)ᵀ, [inputs + 1, inputs + 1] */
  readonly xx: Float64Array
  /** Σ (x,1)·yᵀ, [inputs + 1, outputs]; empty without targets */
  readonly xy: Float64Array
}

/** Sums of a layer by group, by node name. Layers that held NaN or infinity are missing. */
export type SumsByLayer = ReadonlyMap<string, readonly GroupSums[]>

/** A layer to sum over. */
export interface SummedLayer {
  readonly matrices: LayerMatrices
  /** Every so many-th position in each direction is enough. */
  readonly spacing: number
  /** The output it should have: a tensor of the reference model, and which of its channels. `undefined`: inputs only. */
  readonly target: { readonly tensor: string; readonly rank: number; readonly channels: readonly number[] } | undefined
}

/** Values of the sums of one round, 64 MiB in float64: layers beyond it wait for the next round. */
export const ROUND_VALUES = 2 ** 23

/**
 * Sums over the inputs of some layers of `model`, and their products with the outputs that the same layers have in `reference`. Both
 * run side by side on the same samples; ONNX Runtime multiplies in float32 within a feed, feeds are added up in float64.
 *
 * @throws the runtime's errors
 */
export async function collectSums(
  model: ModelProto,
  reference: ModelProto,
  layers: readonly SummedLayer[],
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: () => void = () => {},
): Promise<SumsByLayer> {
  const graph = new Graph(shallowCopy(model))
  const probes = layers.flatMap((layer) => appendProducts(graph, layer) ?? [])
  if (probes.length === 0) return new Map()
  const targets = [...new Set(probes.flatMap(({ layer }) => layer.target?.tensor ?? []))]
  const probed = await runtime.load(
    partOf(
      graph,
      probes.flatMap(({ outputs }) => outputs.flatMap(({ xx, xy }) => [xx, ...(xy ? [xy] : [])])),
    ),
  )
  const referenced = targets.length > 0 ? await runtime.load(partOf(new Graph(shallowCopy(reference)), targets)) : undefined
  try {
    for (let index = 0; index < samples.feeds; index++) {
      const feed = await samples.read(index)
      const expected = (await referenced?.run(feed)) ?? {}
      const results = await probed.run({ ...feed, ...targetFeeds(probes, expected) })
      for (const probe of probes) probe.add(results)
      progress()
    }
  } finally {
    await probed.close()
    await referenced?.close()
  }
  return new Map(probes.filter((probe) => probe.isFinite()).map((probe) => [probe.layer.matrices.node.name, probe.sums]))
}

/** How far apart positions may lie so that about `rows` rows of an output of this shape remain for each feed. */
export function spacingFor(node: NodeProto, dims: readonly number[], rows: number): number {
  const convolution = node.opType === 'Conv'
  const found = (convolution ? [dims[0]!, ...dims.slice(2)] : dims.slice(0, -1)).reduce((product, dim) => product * dim, 1)
  const directions = convolution ? Math.max(1, dims.length - 2) : 1
  return Math.max(1, Math.round((found / Math.max(1, rows)) ** (1 / directions)))
}

class LayerProbe {
  readonly layer: SummedLayer
  readonly targetInput: string | undefined
  readonly outputs: readonly { readonly xx: string; readonly xy: string | undefined }[]
  readonly sums: readonly GroupSums[]

  constructor(layer: SummedLayer, targetInput: string | undefined, outputs: LayerProbe['outputs']) {
    const { inputs, outputs: columns, values } = layer.matrices
    this.layer = layer
    this.targetInput = targetInput
    this.outputs = outputs
    this.sums = values.map(() => ({
      xx: new Float64Array((inputs + 1) ** 2),
      xy: new Float64Array(layer.target ? (inputs + 1) * columns : 0),
    }))
  }

  add(results: NamedTensors): void {
    // A depthwise layer gives one tensor for all groups.
    for (const [index, { xx, xy }] of this.outputs.entries()) {
      const shared = this.outputs.length < this.sums.length
      for (const [group, sums] of this.sums.entries()) {
        if (!shared && group !== index) continue
        addPart(sums.xx, results[xx]!, shared ? group : 0)
        if (xy) addPart(sums.xy, results[xy]!, shared ? group : 0)
      }
    }
  }

  isFinite(): boolean {
    return this.sums.every(({ xx, xy }) => xx.every(Number.isFinite) && xy.every(Number.isFinite) && xx.at(-1)! > 0)
  }
}

function addPart(sum: Float64Array, tensor: RuntimeTensor, part: number): void {
  const values = tensor.values as Float32Array
  const start = part * sum.length
  for (let index = 0; index < sum.length; index++) sum[index] = sum[index]! + values[start + index]!
}

/** The outputs of the reference, in the channels the pruned layer still has. */
function targetFeeds(probes: readonly LayerProbe[], expected: NamedTensors): Record<string, RuntimeTensor> {
  const feeds: Record<string, RuntimeTensor> = {}
  for (const { layer, targetInput } of probes)
    if (targetInput && layer.target)
      feeds[targetInput] = takeChannels(expected[layer.target.tensor]!, layer.target.channels, layer.matrices.node.opType === 'Conv')
  return feeds
}

function takeChannels(tensor: RuntimeTensor, channels: readonly number[], second: boolean): RuntimeTensor {
  const axis = second ? 1 : tensor.dims.length - 1
  const length = tensor.dims[axis]!
  if (channels.length === length) return tensor
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const outer = tensor.dims.slice(0, axis).reduce((product, dim) => product * dim, 1)
  const source = tensor.values as Float32Array
  const values = new Float32Array(outer * channels.length * inner)
  let to = 0
  for (let row = 0; row < outer; row++)
    for (const channel of channels) {
      values.set(source.subarray((row * length + channel) * inner, (row * length + channel + 1) * inner), to)
      to += inner
    }
  return { type: tensor.type, dims: tensor.dims.with(axis, channels.length), values }
}

/** Appends the products of a layer; `undefined` where its input cannot be laid out as rows. */
function appendProducts(graph: Graph, layer: SummedLayer): LayerProbe | undefined {
  const { node, outputs, values } = layer.matrices
  const groups = values.length
  const builder = new NodeBuilder(graph)
  const depthwise = layer.matrices.layer.kind === 'depthwise'
  const rows = depthwise
    ? [depthwiseRows(builder, layer)]
    : appendRows(graph, node, node.input[0]!, layer.spacing)?.map((entry) => entry.rows)
  if (!rows) return undefined
  const targetInput = layer.target && graph.freshName(`${node.name}_target`)
  if (targetInput) {
    const dims = Array.from({ length: layer.target!.rank }, (_, axis) => `${targetInput}_${axis}`)
    graph.proto.input.push(makeValueInfo(targetInput, 'float32', dims))
  }
  const wanted = targetInput && targetRows(builder, layer, targetInput, groups)
  const products = rows.map((matrix, group) => {
    const rank = depthwise ? 3 : 2
    const pads = new Array<number>(2 * rank).fill(0).with(2 * rank - 1, 1)
    const extended = builder.add('Pad', [
      matrix,
      builder.integers(pads),
      builder.constant(makeTensor('', 'float32', [], Float32Array.of(1))),
    ])
    const turned = builder.add('Transpose', [extended], { perm: depthwise ? [0, 2, 1] : [1, 0] })
    const part =
      wanted && !depthwise && groups > 1
        ? builder.add('Slice', [
            wanted,
            builder.integers([group * outputs]),
            builder.integers([(group + 1) * outputs]),
            builder.integers([1]),
          ])
        : wanted
    return { xx: builder.add('MatMul', [turned, extended]), xy: part && builder.add('MatMul', [turned, part]) }
  })
  return new LayerProbe(layer, targetInput, products)
}

/** A model that can be given further nodes, inputs and outputs: nodes and tensors are those of `model`, only the lists are new. */
function shallowCopy(model: ModelProto): ModelProto {
  const proto = model.graph!
  const graph = create(GraphProtoSchema, {
    ...proto,
    node: [...proto.node],
    input: [...proto.input],
    initializer: [...proto.initializer],
    valueInfo: [],
  })
  return create(ModelProtoSchema, { ...model, graph })
}

/** The bytes of the part of a graph that makes these tensors, which become its outputs. */
function partOf(graph: Graph, names: readonly string[]): Uint8Array {
  const needed = new Set<NodeProto>()
  const open = [...names]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = graph.producer(name)
    if (!node || needed.has(node)) continue
    needed.add(node)
    open.push(...node.input, ...capturedTensors(node))
  }
  graph.proto.output = []
  graph.removeNodes(graph.nodes.filter((node) => !needed.has(node)))
  graph.removeUnusedInitializers()
  return encodeWithOutputs(graph.model, names)
}
