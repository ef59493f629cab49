import type { NodeProto } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import type { Graph } from '../onnx/graph.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'
import { type AffineParameters, affineParameters, type ValueRange } from './affine-parameters.ts'
import { unitOutputs } from './fusable-units.ts'
import { PER_CHANNEL_OPSET } from './opset-upgrade.ts'
import type { PlannedUnit, QuantizationPlan } from './quantization-plan.ts'
import { quantize, valueRange } from './quantize-tensor.ts'
import { QuantizedConstants } from './quantized-constants.ts'
import type { TargetRules } from './target-rules.ts'
import type { QuantizedTensor } from './tensor-report.ts'
import { activationLimits } from './unit-matching.ts'
import { quantizeUnitWeights, type WeightRounding } from './weight-quantization.ts'

/** How {@link insertQdq} quantizes. */
export interface InsertionOptions {
  readonly rules: TargetRules
  /** One weight scale for each output channel. */
  readonly perChannel: boolean
  /** Parameters of scale owners that the caller has chosen himself. */
  readonly fixedParameters?: ReadonlyMap<string, AffineParameters>
  /** Mean of each channel of an activation, for those whose readers' biases are to be corrected. */
  readonly means?: (tensor: string) => Float64Array | undefined
}

/** What was written. */
export interface InsertionResult {
  readonly tensors: readonly QuantizedTensor[]
  readonly weights: readonly WeightRounding[]
}

/**
 * Writes a plan into its graph: integer weights and biases, Q/DQ pairs around the planned tensors, absorbed activations
 * removed. Names and types of the model's inputs and outputs stay.
 *
 * @param ranges of every tensor that owns a scale in the plan
 */
export function insertQdq(
  graph: Graph,
  plan: QuantizationPlan,
  ranges: ReadonlyMap<string, ValueRange>,
  options: InsertionOptions,
): InsertionResult {
  const insertion = new Insertion(graph, plan, ranges, options)
  for (const unit of plan.units) insertion.quantizeConstants(unit)
  graph.removeNodes(plan.units.flatMap(({ activation, quantizedOutput }) => (activation && quantizedOutput ? [activation] : [])))
  insertion.quantizeOutputs()
  insertion.quantizeInputs()
  graph.sortTopologically()
  graph.removeUnusedInitializers()
  graph.requireOpset('', PER_CHANNEL_OPSET)
  return { tensors: insertion.tensors, weights: insertion.weights }
}

/** Names of a tensor's scale and zero point in the graph. */
interface StoredParameters extends AffineParameters {
  readonly names: readonly [scale: string, zeroPoint: string]
}

/** What ONNX Runtime passes a QuantizeLinear through, or drops in front of one. */
const PASSES_QUANTIZATION: ReadonlySet<string> = new Set([
  'Clip',
  'Flatten',
  'Gather',
  'MaxPool',
  'Relu',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])
/** A chain of such nodes that is longer than this is not looked through. */
const LONGEST_PASSAGE = 32

class Insertion {
  private readonly graph: Graph
  private readonly plan: QuantizationPlan
  private readonly ranges: ReadonlyMap<string, ValueRange>
  private readonly options: InsertionOptions
  private readonly parameters = new Map<string, StoredParameters>()
  private readonly constants: QuantizedConstants
  readonly tensors: QuantizedTensor[] = []
  readonly weights: WeightRounding[] = []
  private renamed = 0
  private readonly barriers = new Map<string, string>()

  constructor(graph: Graph, plan: QuantizationPlan, ranges: ReadonlyMap<string, ValueRange>, options: InsertionOptions) {
    this.graph = graph
    this.plan = plan
    this.ranges = ranges
    this.options = options
    this.constants = new QuantizedConstants(graph)
  }

  /** Weights, bias and constant operands of a unit. */
  quantizeConstants(unit: PlannedUnit): void {
    const { graph, options, constants } = this
    const { node, weight } = unit
    const operands = unit.activations.filter((slot) => graph.constant(node.input[slot]!))
    if (weight) {
      const tensor = node.input[unit.activations[0]!]!
      const input = { scale: this.parametersOf(tensor).scale, means: options.means?.(tensor) }
      this.weights.push(quantizeUnitWeights(graph, { ...unit, weight }, input, options, constants))
    }
    for (const slot of operands) node.input[slot] = this.quantizeOperand(node.input[slot]!)
  }

  /** Units' outputs: the producer writes under a new name, DequantizeLinear gives the old one, so that readers stay as they are. */
  quantizeOutputs(): void {
    const { graph, plan } = this
    const written = plan.units.filter(({ quantizedOutput }) => quantizedOutput).flatMap((unit) => this.renameOutputs(unit))
    graph.reindex()
    for (const { tensor, raw, absorbed } of written) this.insertPair(tensor, raw, tensor, absorbed)
  }

  /** Tensors that no unit writes in 8 bits: only the planned readers read through the pair. */
  quantizeInputs(): void {
    const { graph, plan, options } = this
    const written = new Set(plan.units.flatMap((unit) => (unit.quantizedOutput ? unit.outputs : [])))
    const shared = new Map<string, string>()
    for (const { node, activations } of plan.units) {
      for (const slot of activations) {
        const tensor = node.input[slot]!
        if (written.has(tensor) || !plan.tensors.has(tensor)) continue
        const dequantized = shared.get(tensor) ?? graph.freshName(`${tensor}_dequantized`)
        if (!shared.has(tensor)) this.insertPair(tensor, this.behindBarrier(tensor), dequantized)
        if (options.rules.placement === 'around') shared.set(tensor, dequantized)
        node.input[slot] = dequantized
      }
    }
    graph.reindex()
  }

  /**
   * Between an excluded node and a QuantizeLinear behind it stands a Sum of one operand, which ONNX Runtime leaves alone:
   * without it, it would run the node in 8 bits all the same, with weights that it rounds itself when the model is loaded
   * (WeightBiasQuantization, 1.30). The Sum copies its operand.
   */
  private behindBarrier(tensor: string): string {
    const { graph } = this
    if (!this.comesFromExcluded(tensor)) return tensor
    const known = this.barriers.get(tensor)
    if (known) return known
    const output = graph.freshName(`t_${this.renamed++}`)
    graph.insertNodes([makeNode('Sum', [tensor], [output], {}, { name: graph.freshName(`keep_float_${this.barriers.size}`) })])
    this.barriers.set(tensor, output)
    return output
  }

  /** Whether an excluded node wrote the tensor, or one from which the runtime would pass the QuantizeLinear up to it. */
  private comesFromExcluded(tensor: string): boolean {
    let node = this.graph.producer(tensor)
    for (let steps = 0; node && steps < LONGEST_PASSAGE; steps++) {
      if (this.plan.excluded.has(node)) return true
      if (!PASSES_QUANTIZATION.has(node.opType)) return false
      node = this.graph.producer(node.input[0] ?? '')
    }
    return false
  }

  private renameOutputs(unit: PlannedUnit): { readonly tensor: string; readonly raw: string; readonly absorbed: ValueRange | undefined }[] {
    const absorbed = unit.activation && activationLimits(unit.activation, this.graph)
    const writer = unit.biasAdd ?? unit.node
    const before = unitOutputs(unit, false)
    return unit.outputs.map((tensor, index) => {
      const raw = this.graph.freshName(`t_${this.renamed++}`)
      writer.output = writer.output.map((name) => (name === before[index] ? raw : name))
      return { tensor, raw, absorbed }
    })
  }

  /**
   * QuantizeLinear from `from`, DequantizeLinear to `to`, with the parameters of `tensor`. Numbers instead of the tensor's
   * name keep the file small: in a network of 200 kB names would be a tenth of it.
   */
  private insertPair(tensor: string, from: string, to: string, absorbed?: ValueRange): void {
    const { graph } = this
    const { names, scale, zeroPoint } = this.parametersOf(tensor)
    const number = this.tensors.length
    const quantized = graph.freshName(`q_${number}`)
    const pair: NodeProto[] = [
      makeNode('QuantizeLinear', [from, ...names], [quantized], {}, { name: graph.freshName(`Q_${number}`) }),
      makeNode('DequantizeLinear', [quantized, ...names], [to], {}, { name: graph.freshName(`DQ_${number}`) }),
    ]
    graph.insertNodes(pair)
    const { activationType: type } = this.options.rules
    this.tensors.push({ tensor, before: from, after: to, scale, zeroPoint, type, ...(absorbed ? { absorbed } : {}) })
  }

  /** Scale and zero point of a planned tensor; tensors of one owner share them. */
  private parametersOf(tensor: string): StoredParameters {
    const owner = this.plan.tensors.get(tensor)!
    const stored = this.parameters.get(owner)
    if (stored) return stored
    const { graph } = this
    const { activationType: type, activationSymmetric: symmetric } = this.options.rules
    const parameters = this.options.fixedParameters?.get(owner) ?? affineParameters(this.ranges.get(owner)!, type, { symmetric })
    const number = this.parameters.size
    const names = [graph.freshName(`s_${number}`), graph.freshName(`z_${number}`)] as const
    graph.addInitializer(makeTensor(names[0], 'float32', [], Float32Array.of(parameters.scale)))
    const zeroPoint = type === 'uint8' ? Uint8Array.of(parameters.zeroPoint) : Int8Array.of(parameters.zeroPoint)
    graph.addInitializer(makeTensor(names[1], type, [], zeroPoint))
    const added = { ...parameters, names }
    this.parameters.set(owner, added)
    return added
  }

  /** A constant operand of Add, Mul, Concat, Where: quantized with the type of the activations. */
  private quantizeOperand(name: string): string {
    const { activationType: type, activationSymmetric: symmetric } = this.options.rules
    const tensor = this.graph.constant(name)!
    const values = floatValues(tensor)
    const parameters = affineParameters(valueRange(values) ?? { min: 0, max: 0 }, type, { symmetric })
    return this.constants.add(name, {
      values: quantize(values, parameters, type),
      dims: tensor.dims.map(Number),
      scales: Float32Array.of(parameters.scale),
      axis: 0,
      zeroPoint: parameters.zeroPoint,
    })
  }
}
