import { type ModelProto, type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../../core-error.ts'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import { addGrams, gramsInTurn, type LayerGram } from '../../linear-algebra/layer-gram.ts'
import { cloneModel } from '../../onnx/clone-model.ts'
import { Graph } from '../../onnx/graph.ts'
import { requireFloatModel } from '../already-quantized.ts'
import type { CalibrationSamples } from '../calibration-samples.ts'
import { exclusion } from '../exclusion.ts'
import type { SkippedNode } from '../fusable-units.ts'
import { raiseOpset } from '../opset-upgrade.ts'
import { nameNodes } from '../prepare-model.ts'
import { inferTensorFacts } from '../tensor-facts.ts'
import type { WeightErrorReport } from '../weight-report.ts'
import { separateActivation } from './activation-gap.ts'
import { INTEGER_GRIDS, type IntegerGrid } from './integer-grid.ts'
import { type LayerRounding, type QuantizedLayer, quantizeLayer } from './layer-quantization.ts'
import { NodeInsertions } from './node-insertions.ts'
import { findWeightUses, type WeightLayer, type WeightUses } from './weight-layers.ts'
import { readMatrix, readTable, storeMatrix, storeTable } from './weight-writer.ts'

/** Settings of weight-only quantization. */
export interface WeightOnlyOptions {
  readonly bits: 4 | 8
  /** Weights that share a scale: 16 to 256, a power of two; 0 (8 bits only): one scale for each output channel. */
  readonly blockSize: number
  /** 4 bits: no zero points. 8 bits never have any. */
  readonly symmetric: boolean
  /** `gptq` needs samples. */
  readonly rounding: 'nearest' | 'gptq'
  readonly mseScales: boolean
  /** Scales may be negative, see {@link IntegerGrid}; ONNX Runtime takes them, TensorRT does not. */
  readonly negativeScales: boolean
  readonly exclude: readonly string[]
  readonly include: readonly string[]
  /** Names of further nodes to leave in float, each with the reason to report. */
  readonly alsoExcluded?: ReadonlyMap<string, string>
}

/** A model with 8- or 4-bit weights and what was done to it. */
export interface WeightOnlyModel {
  readonly model: ModelProto
  /** Nodes whose weights are integers now, by name, in graph order. */
  readonly quantized: readonly string[]
  readonly skipped: readonly SkippedNode[]
  /** What rounding did to the weights, worst first. */
  readonly weights: readonly WeightErrorReport[]
  /** Nodes that gptq was asked for and that were rounded to nearest: in sub-graphs, too large, or without usable inputs. */
  readonly notCompensated: readonly string[]
  /** The node that reads each DequantizeLinear, by that one's name. ONNX Runtime fuses both to a MatMulNBits. */
  readonly dequantizers: ReadonlyMap<string, string>
}

/** DequantizeLinear has blocks and 4-bit types from opset 21 on, float16 scales from 19, one scale for each channel from 13. */
const BLOCK_OPSET = 21
const HALF_SCALE_OPSET = 19
const CHANNEL_OPSET = 13
/** The IR version that knows 4-bit types. */
const INT4_IR = 10n

/**
 * Stores the weights of MatMul and Gemm in 8 or 4 bits, in the main graph and in sub-graphs, and tables that Gather looks rows up in
 * as int8. Activations stay float. The form is standard ONNX: DequantizeLinear in front of each node, which ONNX Runtime
 * fuses to MatMulNBits when it loads the model; that multiplies the packed weights themselves. (Its kernel rounds activations
 * to 8 bits block by block on the way: 42 to 49 dB against exact products on random matrices, less noise than 4-bit weights make.)
 *
 * @param source is not changed
 * @param samples for `gptq`
 * @param progress called with work done and in total
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when there is nothing to quantize, the model is quantized already, or its opset
 *   cannot be raised; `CALIBRATION_NEEDED` for gptq without samples
 * @throws the runtime's errors
 */
export async function quantizeWeightsOnly(
  source: ModelProto,
  runtime: InferenceRuntime,
  options: WeightOnlyOptions,
  samples?: CalibrationSamples,
  progress: (done: number, total: number) => void = () => {},
): Promise<WeightOnlyModel> {
  if (options.rounding === 'gptq' && !samples)
    throw new CoreError('CALIBRATION_NEEDED', 'Rounding with gptq needs calibration data.', {
      hint: 'Give a dataset with --calibration, or set rounding=nearest.',
    })
  const model = cloneModel(source)
  const main = new Graph(model)
  for (const scope of main.scopes()) {
    requireFloatModel(scope)
    nameNodes(scope)
  }
  const uses = findWeightUses(main.scopes(), excludedBy(options), options)
  if (uses.layers.length + uses.tables.length === 0) throw nothingToQuantize(uses.skipped)
  const version = requiredOpset(uses, options)
  const facts = await inferTensorFacts(model, runtime)
  raiseOpset(main, facts, version)
  if (version === BLOCK_OPSET && model.irVersion < INT4_IR) model.irVersion = INT4_IR
  // Upgrades may have put other nodes in place of some: look-ups start anew.
  const graph = new Graph(model)
  const current = findWeightUses(graph.scopes(), excludedBy(options), options)
  const rounder = new WeightRounder(graph, current.layers, options)
  if (options.rounding === 'gptq' && samples) await rounder.roundWithGrams(samples, runtime, progress)
  rounder.roundRest()
  const insertions = new NodeInsertions()
  for (const layer of current.layers) separateActivation(layer, facts, insertions)
  const dequantizers = rounder.write(insertions)
  const tables = writeTables(current, insertions)
  insertions.apply()
  removeUnread(current)
  return {
    model,
    quantized: [...current.layers, ...current.tables].map(({ node }) => node.name),
    skipped: current.skipped,
    weights: [...rounder.errors(), ...tables].sort(
      (a, b) => (a.sqnrDb ?? Number.POSITIVE_INFINITY) - (b.sqnrDb ?? Number.POSITIVE_INFINITY),
    ),
    notCompensated: options.rounding === 'gptq' ? rounder.notCompensated() : [],
    dequantizers,
  }
}

function excludedBy({ exclude, include, alsoExcluded }: WeightOnlyOptions): (node: NodeProto) => string | undefined {
  const excluded = exclusion(exclude, include)
  return (node) => alsoExcluded?.get(node.name) ?? (excluded(node) ? 'excluded by the recipe' : undefined)
}

function requiredOpset({ layers }: WeightUses, { bits, blockSize }: WeightOnlyOptions): number {
  if (layers.length === 0) return 1
  if (bits === 4 || blockSize > 0) return BLOCK_OPSET
  return layers.some(({ tensor }) => tensor.dataType === TensorProto_DataType.FLOAT16) ? HALF_SCALE_OPSET : CHANNEL_OPSET
}

function nothingToQuantize(skipped: readonly SkippedNode[]): CoreError {
  const reasons = [...new Set(skipped.map(({ op, reason }) => `${op}: ${reason}`))].slice(0, 5).join('; ')
  return new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `The model has no MatMul, Gemm or lookup table with constant weights to store in fewer bits. ${reasons}`.trim(),
    {
      hint: 'Convolutional models become smaller with int8-static, or with fp16 and weightsOnly.',
      details: { skipped: skipped.length },
    },
  )
}

/** Layers that read the same weights in the same way: rounded once, for the inputs of all. */
interface LayerGroup {
  readonly layers: WeightLayer[]
  gram: LayerGram | undefined
  quantized: QuantizedLayer | undefined
  compensated: boolean
}

/** Rounds the weights of all layers and writes them. */
class WeightRounder {
  private readonly main: Graph
  private readonly options: WeightOnlyOptions
  private readonly groups: readonly LayerGroup[]

  constructor(main: Graph, layers: readonly WeightLayer[], options: WeightOnlyOptions) {
    this.main = main
    this.options = options
    const groups = new Map<WeightLayer['tensor'], Map<string, LayerGroup>>()
    for (const layer of layers) {
      const ofTensor = groups.get(layer.tensor) ?? new Map<string, LayerGroup>()
      groups.set(layer.tensor, ofTensor)
      const key = `${layer.transposed} ${layer.factor}`
      const group = ofTensor.get(key)
      if (group) group.layers.push(layer)
      else ofTensor.set(key, { layers: [layer], gram: undefined, quantized: undefined, compensated: false })
    }
    this.groups = [...groups.values()].flatMap((ofTensor) => [...ofTensor.values()])
  }

  /** Rounds layers as the Gram matrices of their inputs come in; of layers that share weights these are added up. */
  async roundWithGrams(
    samples: CalibrationSamples,
    runtime: InferenceRuntime,
    progress: (done: number, total: number) => void,
  ): Promise<void> {
    const main = this.main.proto
    const layers = this.groups.flatMap((group) =>
      group.layers.filter(({ scope }) => scope.proto === main).map(({ node }) => [node.name, group] as const),
    )
    const groupOf = new Map(layers)
    const waiting = new Map<LayerGroup, number>()
    for (const [, group] of layers) waiting.set(group, (waiting.get(group) ?? 0) + 1)
    for await (const { node, grams } of gramsInTurn(this.main.model, [...groupOf.keys()], samples, runtime, progress)) {
      const group = groupOf.get(node)!
      group.gram = group.gram ? addGrams(group.gram, grams[0]!) : grams[0]
      const left = waiting.get(group)! - 1
      waiting.set(group, left)
      if (left === 0) this.round(group)
    }
    for (const group of this.groups) if (group.gram) this.round(group)
  }

  /** Rounds what has no Gram matrix. */
  roundRest(): void {
    for (const group of this.groups) if (!group.quantized) this.round(group)
  }

  private round(group: LayerGroup): void {
    const [layer] = group.layers
    group.quantized = quantizeLayer(layer!, this.rounding(layer!), group.gram)
    group.compensated = group.gram !== undefined
    // The matrix takes more memory than the weights.
    group.gram = undefined
  }

  private rounding({ tensor }: WeightLayer): LayerRounding {
    const { blockSize, mseScales } = this.options
    return { grid: { ...this.grid, halfScales: tensor.dataType === TensorProto_DataType.FLOAT16 }, blockSize, mseScales }
  }

  private get grid(): IntegerGrid {
    const { bits, symmetric, negativeScales } = this.options
    if (bits === 8) return INTEGER_GRIDS.int8
    return symmetric ? { ...INTEGER_GRIDS.int4, negativeScales } : INTEGER_GRIDS.uint4
  }

  /** @returns the node that reads each DequantizeLinear */
  write(insertions: NodeInsertions): Map<string, string> {
    const { blockSize } = this.options
    const readers = new Map<string, string>()
    for (const { layers, quantized } of this.groups) {
      for (const layer of layers) {
        const stored = storeMatrix(layer, quantized!, this.grid, blockSize)
        readers.set(readMatrix(layer, stored, blockSize, insertions), layer.node.name)
      }
    }
    return readers
  }

  errors(): WeightErrorReport[] {
    return this.groups.flatMap(({ layers, quantized }) =>
      layers.map(({ node, weightName }) => ({ node: node.name, op: node.opType, tensor: weightName, sqnrDb: quantized!.sqnrDb })),
    )
  }

  notCompensated(): string[] {
    return this.groups.filter(({ compensated }) => !compensated).flatMap(({ layers }) => layers.map(({ node }) => node.name))
  }
}

function writeTables({ tables }: WeightUses, insertions: NodeInsertions): WeightErrorReport[] {
  const stored = new Map<WeightLayer['tensor'], ReturnType<typeof storeTable>>()
  return tables.map((table) => {
    const known = stored.get(table.tensor) ?? storeTable(table)
    stored.set(table.tensor, known)
    readTable(table, known, insertions)
    return { node: table.node.name, op: table.node.opType, tensor: table.weightName, sqnrDb: known.sqnrDb }
  })
}

/** Removes the float weights: initializers, and Constant nodes that nobody reads any more. */
function removeUnread({ layers, tables }: WeightUses): void {
  const scopes = new Set([...layers, ...tables].flatMap(({ scope }) => around(scope)))
  const names = new Set([...layers, ...tables].map(({ weightName }) => weightName))
  // Inner graphs first: what they read counts as read in those around them.
  for (const scope of [...scopes].sort((a, b) => around(b).length - around(a).length)) {
    scope.reindex()
    const unread = scope.nodes.filter(
      ({ opType, output: [output = ''] }) =>
        opType === 'Constant' && names.has(output) && scope.consumers(output).length === 0 && !scope.isGraphOutput(output),
    )
    scope.removeNodes(unread)
    scope.removeUnusedInitializers()
  }
}

/** A graph and those around it. */
function around(graph: Graph): Graph[] {
  return [graph, ...(graph.parent ? around(graph.parent) : [])]
}
