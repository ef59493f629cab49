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
import { quantizeUnitWeights } from './weight-quantization.ts'

/** How {@link insertQdq} quantizes. */
export interface InsertionOptions {
  readonly rules: TargetRules
  /** One weight scale for each output channel. */
  readonly perChannel: boolean
}

/**
 * Writes a plan into its graph: integer weights and biases, Q/DQ pairs around the planned tensors, absorbed activations
 * removed. Names and types of the model's inputs and outputs stay.
 *
 * @param ranges of every tensor that owns a scale in the plan
 */
export function insertQdq(graph: Graph, plan: QuantizationPlan, ranges: ReadonlyMap<string, ValueRange>, options: InsertionOptions): void {
  const insertion = new Insertion(graph, plan, ranges, options)
  for (const unit of plan.units) insertion.quantizeConstants(unit)
  graph.removeNodes(plan.units.flatMap(({ activation, quantizedOutput }) => (activation && quantizedOutput ? [activation] : [])))
  insertion.quantizeOutputs()
  insertion.quantizeInputs()
  graph.sortTopologically()
  graph.removeUnusedInitializers()
  graph.requireOpset('', PER_CHANNEL_OPSET)
}

/** Names of a tensor's scale and zero point in the graph. */
interface StoredParameters extends AffineParameters {
  readonly names: readonly [scale: string, zeroPoint: string]
}

class Insertion {
  private readonly graph: Graph
  private readonly plan: QuantizationPlan
  private readonly ranges: ReadonlyMap<string, ValueRange>
  private readonly options: InsertionOptions
  private readonly parameters = new Map<string, StoredParameters>()
  private readonly constants: QuantizedConstants
  private pairs = 0
  private renamed = 0

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
      const inputScale = this.parametersOf(node.input[unit.activations[0]!]!).scale
      quantizeUnitWeights(graph, { ...unit, weight }, inputScale, options, constants)
    }
    for (const slot of operands) node.input[slot] = this.quantizeOperand(node.input[slot]!)
  }

  /** Units' outputs: the producer writes under a new name, DequantizeLinear gives the old one, so that readers stay as they are. */
  quantizeOutputs(): void {
    const { graph, plan } = this
    const written = plan.units.filter(({ quantizedOutput }) => quantizedOutput).flatMap((unit) => this.renameOutputs(unit))
    graph.reindex()
    for (const { tensor, raw } of written) this.insertPair(tensor, raw, tensor)
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
        if (!shared.has(tensor)) this.insertPair(tensor, tensor, dequantized)
        if (options.rules.placement === 'around') shared.set(tensor, dequantized)
        node.input[slot] = dequantized
      }
    }
    graph.reindex()
  }

  private renameOutputs(unit: PlannedUnit): { readonly tensor: string; readonly raw: string }[] {
    const writer = unit.biasAdd ?? unit.node
    const before = unitOutputs(unit, false)
    return unit.outputs.map((tensor, index) => {
      const raw = this.graph.freshName(`to_quantize_${this.renamed++}`)
      writer.output = writer.output.map((name) => (name === before[index] ? raw : name))
      return { tensor, raw }
    })
  }

  /**
   * QuantizeLinear from `from`, DequantizeLinear to `to`, with the parameters of `tensor`. Numbers instead of the tensor's
   * name keep the file small: in a network of 200 kB names would be a tenth of it.
   */
  private insertPair(tensor: string, from: string, to: string): void {
    const { graph } = this
    const { names } = this.parametersOf(tensor)
    const number = this.pairs++
    const quantized = graph.freshName(`quantized_${number}`)
    const pair: NodeProto[] = [
      makeNode('QuantizeLinear', [from, ...names], [quantized], {}, { name: graph.freshName(`QuantizeLinear_${number}`) }),
      makeNode('DequantizeLinear', [quantized, ...names], [to], {}, { name: graph.freshName(`DequantizeLinear_${number}`) }),
    ]
    graph.insertNodes(pair)
  }

  /** Scale and zero point of a planned tensor; tensors of one owner share them. */
  private parametersOf(tensor: string): StoredParameters {
    const owner = this.plan.tensors.get(tensor)!
    const stored = this.parameters.get(owner)
    if (stored) return stored
    const { graph } = this
    const { activationType: type, activationSymmetric: symmetric } = this.options.rules
    const parameters = affineParameters(this.ranges.get(owner)!, type, { symmetric })
    const number = this.parameters.size
    const names = [graph.freshName(`scale_${number}`), graph.freshName(`zero_point_${number}`)] as const
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
