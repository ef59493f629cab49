import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, type ModelProto, ModelProtoSchema, type NodeProto } from 'onnx-buf'
import type { InferenceRuntime, NamedTensors } from '../inference-runtime.ts'
import { type AttributeValue, makeNode, makeValueInfo } from '../onnx/builders.ts'
import { Graph } from '../onnx/graph.ts'
import { encodeModel } from '../onnx/model-file.ts'
import { makeInt64 } from '../onnx/tensor-values.ts'
import type { CalibrationSamples } from '../quantization/calibration-samples.ts'
import { capturedTensors } from '../quantization/captured-tensors.ts'
import { appendRows, type LayerRows, layerShape } from './layer-rows.ts'
import { RowBuffer, RowMultiplier } from './row-buffer.ts'

/** A layer of the main graph whose inputs are looked at. */
export interface Layer {
  readonly node: NodeProto
  /** K */
  readonly size: number
  readonly groups: number
}

/** Sums over all rows of a layer's inputs, or of one group of a convolution. */
export interface RowSums {
  readonly size: number
  /** `products`: Σ x·xᵀ, [K, K]. `squares`: Σ x², [K]. */
  readonly values: Float64Array
  readonly rows: number
  readonly means: Float64Array
}

/** Values of a patch matrix: 64 MiB in float32. */
const PATCH_VALUES = 2 ** 24
/** Rows per weight of a channel that are worth adding up, and the fewest: more change the result less than other samples would. */
const ROWS_PER_WEIGHT = 64
const FEWEST_ROWS = 2 ** 15

/** The Conv, MatMul and Gemm nodes of the main graph among those names, in graph order. */
export function findLayers(model: ModelProto, names: readonly string[]): Layer[] {
  const graph = new Graph(model)
  const wanted = new Set(names)
  return graph.nodes.flatMap((node) => {
    const shape = wanted.has(node.name) ? layerShape(graph, node) : undefined
    return shape ? [{ node, size: shape.size, groups: shape.groups }] : []
  })
}

/**
 * Runs the part of a model that leads to the layers, and adds up what goes into them.
 *
 * @returns sums of each group by node; layers that never ran, or whose inputs held NaN or infinity, are missing
 * @throws the runtime's errors
 */
export async function sumRows(
  model: ModelProto,
  layers: readonly Layer[],
  kind: 'products' | 'squares',
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: (done: number) => void = () => {},
): Promise<Map<string, RowSums[]>> {
  if (layers.length === 0 || samples.feeds === 0) return new Map()
  const probe = new RowProbe(model, await planRows(model, layers, samples, runtime), kind)
  if (probe.sums.length === 0) return new Map()
  const multiplier = new RowMultiplier(runtime)
  const loaded = await runtime.load(probe.bytes)
  try {
    for (let index = 0; index < samples.feeds; index++) {
      await probe.add(await loaded.run(await samples.read(index)), multiplier)
      progress(index + 1)
    }
    return await probe.result(multiplier)
  } finally {
    await loaded.close()
    await multiplier.close()
  }
}

/** How the rows of a layer are taken. */
interface RowPlan {
  readonly layer: Layer
  /** Every so many-th position in each direction. */
  readonly spacing: number
  /** One feed gives so few rows that they are collected before they are multiplied. */
  readonly few: boolean
}

/** Plans by the size that each layer's output has on the first feed. */
async function planRows(
  model: ModelProto,
  layers: readonly Layer[],
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<RowPlan[]> {
  const graph = shallowCopy(model)
  const shapes = layers.map(({ node }) => {
    const shape = graph.freshName('rows_shape')
    graph.insertNodes([makeNode('Shape', [node.output[0]!], [shape], {}, { name: graph.freshName(`${shape}_node`) })])
    return shape
  })
  const loaded = await runtime.load(withOutputs(graph, shapes))
  try {
    const results = await loaded.run(await samples.read(0))
    return layers.map((layer, index) => {
      const dims = Array.from(results[shapes[index]!]!.values as BigInt64Array, Number)
      return planLayer(layer, dims, samples.feeds)
    })
  } finally {
    await loaded.close()
  }
}

/** @param dims of the layer's output: [batch, channels, positions…] for a convolution, [rows…, channels] for a matrix */
function planLayer(layer: Layer, dims: readonly number[], feeds: number): RowPlan {
  const { node, size, groups } = layer
  const convolution = node.opType === 'Conv'
  const counted = convolution ? [dims[0]!, ...dims.slice(2)] : dims.slice(0, -1)
  const rows = counted.reduce((product, dim) => product * dim, 1)
  const worthwhile = Math.max(FEWEST_ROWS, ROWS_PER_WEIGHT * size) / feeds
  const most = Math.max(1, Math.min(worthwhile, PATCH_VALUES / (size * groups)))
  const directions = convolution ? Math.max(1, dims.length - 2) : 1
  const spacing = Math.max(1, Math.floor((rows / most) ** (1 / directions)))
  return { layer, spacing, few: rows / spacing ** directions < size / 2 }
}

/** Outputs of the running model that belong to one group of one layer, and their sums so far. */
interface RunningSum {
  readonly node: string
  readonly size: number
  readonly outputs: ProbeOutputs
  readonly values: Float64Array
  readonly columnSums: Float64Array
  readonly buffer: RowBuffer
  rows: number
}

/** Names of outputs: the rows themselves, rowsᵀ·rows or the mean of rows²; with the latter two the mean of rows; the shape of rows. */
interface ProbeOutputs {
  readonly few?: string
  readonly products?: string
  readonly meanSquares?: string
  readonly means?: string
  readonly shape: string
}

/** The part of a model that layers need, with sums over their inputs as its outputs. */
class RowProbe {
  readonly sums: RunningSum[] = []
  readonly bytes: Uint8Array

  constructor(model: ModelProto, plans: readonly RowPlan[], kind: 'products' | 'squares') {
    const graph = shallowCopy(model)
    for (const { layer, spacing, few } of plans)
      for (const rows of appendRows(graph, layer.node, layer.node.input[0]!, spacing) ?? []) {
        const { size } = rows
        this.sums.push({
          node: layer.node.name,
          size,
          outputs: appendSums(graph, rows, kind === 'products' && few ? 'few' : kind),
          values: new Float64Array(kind === 'products' ? size * size : size),
          columnSums: new Float64Array(size),
          buffer: new RowBuffer(size),
          rows: 0,
        })
      }
    this.bytes = withOutputs(
      graph,
      this.sums.flatMap(({ outputs }) => Object.values(outputs)),
    )
  }

  async add(results: NamedTensors, multiplier: RowMultiplier): Promise<void> {
    const floats = (output: string): Float32Array => results[output]!.values as Float32Array
    for (const sum of this.sums) {
      const { few, products, meanSquares, means, shape } = sum.outputs
      const rows = Number((results[shape]!.values as BigInt64Array)[0])
      // The mean of nothing is NaN.
      if (rows === 0) continue
      sum.rows += rows
      if (products) addTo(sum.values, floats(products), 1)
      if (meanSquares) addTo(sum.values, floats(meanSquares), rows)
      if (means) addTo(sum.columnSums, floats(means), rows)
      if (few) sum.buffer.add(floats(few))
      if (sum.buffer.rows >= sum.size) await emptyBuffer(sum, multiplier)
    }
  }

  async result(multiplier: RowMultiplier): Promise<Map<string, RowSums[]>> {
    const found = new Map<string, RowSums[]>()
    const broken = new Set<string>()
    for (const sum of this.sums) {
      if (sum.buffer.rows > 0) await emptyBuffer(sum, multiplier)
      const { node, size, values, columnSums, rows } = sum
      if (rows === 0 || !columnSums.every(Number.isFinite) || !squaresAreFinite(values, size)) broken.add(node)
      found.set(node, [...(found.get(node) ?? []), { size, values, rows, means: columnSums.map((total) => total / rows) }])
    }
    for (const node of broken) found.delete(node)
    return found
  }
}

async function emptyBuffer({ buffer, size, values, columnSums }: RunningSum, multiplier: RowMultiplier): Promise<void> {
  const rows = buffer.take()
  addTo(values, await multiplier.multiply(rows, size), 1)
  for (let start = 0; start < rows.length; start += size) addTo(columnSums, rows.subarray(start, start + size), 1)
}

/** Appends what is to be added up. GlobalAveragePool is a mean that looks the same in all opsets. */
function appendSums(graph: Graph, { rows, size }: LayerRows, kind: 'few' | 'products' | 'squares'): ProbeOutputs {
  const node = (opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string => {
    const output = graph.freshName(`${rows}_${opType}`)
    graph.insertNodes([makeNode(opType, inputs, [output], attributes, { name: graph.freshName(`${output}_node`) })])
    return output
  }
  if (kind === 'few') return { few: rows, shape: node('Shape', [rows]) }
  const planes = node('Constant', [], { value: makeInt64('', [3], [1, size, -1]) })
  const columnMeans = (columns: string): string => node('GlobalAveragePool', [node('Reshape', [columns, planes])])
  const turned = node('Transpose', [rows], { perm: [1, 0] })
  const common = { means: columnMeans(turned), shape: node('Shape', [rows]) }
  return kind === 'products'
    ? { products: node('MatMul', [turned, rows]), ...common }
    : { meanSquares: columnMeans(node('Mul', [turned, turned])), ...common }
}

function addTo(sums: Float64Array, values: Float32Array, factor: number): void {
  for (let index = 0; index < sums.length; index++) sums[index] = sums[index]! + values[index]! * factor
}

/** A value that is not finite in a column makes the column's own sum of squares so. */
function squaresAreFinite(values: Float64Array, size: number): boolean {
  const step = values.length === size ? 1 : size + 1
  for (let index = 0; index < size; index++) if (!Number.isFinite(values[index * step]!)) return false
  return true
}

/** A model that can be given further nodes and other outputs: nodes and tensors are those of `model`, only the lists are new. */
function shallowCopy(model: ModelProto): Graph {
  const { proto } = new Graph(model)
  const graph = create(GraphProtoSchema, {
    ...proto,
    node: [...proto.node],
    input: [...proto.input],
    initializer: [...proto.initializer],
  })
  return new Graph(create(ModelProtoSchema, { ...model, graph }))
}

/** The bytes of the part of a graph that makes these tensors, which become its outputs; ONNX Runtime infers their types. */
function withOutputs(graph: Graph, names: readonly string[]): Uint8Array {
  const needed = new Set<NodeProto>()
  const open = [...names]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = graph.producer(name)
    if (!node || needed.has(node)) continue
    needed.add(node)
    // One by one: a node may have more inputs than a call may have arguments.
    for (const input of [...node.input, ...capturedTensors(node)]) open.push(input)
  }
  graph.proto.output = names.map((name) => Object.assign(makeValueInfo(name, 'float32', []), { type: undefined }))
  graph.removeNodes(graph.nodes.filter((node) => !needed.has(node)))
  graph.removeUnusedInitializers()
  return encodeModel(graph.model)
}
