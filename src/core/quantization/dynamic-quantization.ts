import { type ModelProto, type NodeProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { makeNode } from '../onnx/builders.ts'
import { floatAttribute, Graph, intAttribute, subgraphs } from '../onnx/graph.ts'
import { decodeModel, encodeModel } from '../onnx/model-file.ts'
import { floatValues, makeTensor } from '../onnx/tensor-values.ts'
import { requireFloatModel } from './already-quantized.ts'
import { constantsToInitializers } from './constants-to-initializers.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { upgradeOpset } from './opset-upgrade.ts'
import { nameNodes } from './prepare-model.ts'
import type { QuantizationOptions, QuantizedModel } from './static-quantization.ts'
import { targetRules } from './target-rules.ts'
import { inferTensorFacts, type TensorFactsByName } from './tensor-facts.ts'
import { allFinite, isRowBias } from './unit-matching.ts'
import { columnsLayout, rowsLayout, type WeightLayout } from './weight-layout.ts'
import { biasRow, quantizeWeights, scaled, weightScales } from './weight-quantization.ts'

/** Why operators with weights that this recipe does not touch stay in float32. */
const LEFT_IN_FLOAT: Readonly<Record<string, string>> = {
  Conv: 'with scales found while running, convolutions are slower in 8 bits than in float32 (ConvInteger); int8-static quantizes them',
  ConvTranspose: 'ConvTranspose has no 8-bit kernel in ONNX Runtime',
  LSTM: 'int8-dynamic quantizes MatMul and Gemm only',
  GRU: 'GRU has no 8-bit kernel in ONNX Runtime',
  RNN: 'RNN has no 8-bit kernel in ONNX Runtime',
}

/** A multiplication with constant weights, and how to write it in 8 bits. */
interface Multiplication {
  readonly node: NodeProto
  readonly activation: string
  readonly weightName: string
  readonly layout: WeightLayout
  /** [K, N] */
  readonly weights: Float32Array
  /** [N] */
  readonly bias: Float32Array | undefined
}

/**
 * Stores the weights of MatMul and Gemm as int8 and quantizes their activations while the model runs:
 * DynamicQuantizeLinear → MatMulInteger → Cast → Mul (→ Add), standard operators that ONNX Runtime fuses to one
 * DynamicQuantizeMatMul. No calibration data is needed. Activations are uint8 over their full range, so on x64 without VNNI
 * the weights have pair-safe scales.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when there is nothing to quantize, the model is quantized already, its opset
 *   cannot be raised, or the target is TensorRT, which has no dynamic quantization
 */
export async function quantizeDynamic(
  source: ModelProto,
  runtime: InferenceRuntime,
  options: QuantizationOptions,
): Promise<QuantizedModel> {
  if (options.target === 'tensorrt') {
    throw new CoreError('RECIPE_NOT_APPLICABLE', 'TensorRT has no dynamic quantization.', {
      hint: 'Use int8-static for the target tensorrt.',
    })
  }
  const model = decodeModel(encodeModel(source), 'the model')
  const graph = new Graph(model)
  requireFloatModel(graph)
  nameNodes(graph)
  const facts = await inferTensorFacts(model, runtime)
  upgradeOpset(graph, facts)
  constantsToInitializers(graph)
  const { found, skipped } = findMultiplications(graph, facts, exclusion(options.exclude))
  if (found.length === 0) throw nothingToQuantize(skipped)
  const writer = new DynamicWriter(graph, options)
  for (const multiplication of found) writer.rewrite(multiplication)
  graph.sortTopologically()
  graph.removeUnusedInitializers()
  return { model, quantized: found.map(({ node }) => node.name), skipped }
}

function nothingToQuantize(skipped: readonly SkippedNode[]): CoreError {
  const reasons = [...new Set(skipped.map(({ op, reason }) => `${op}: ${reason}`))].slice(0, 5).join('; ')
  return new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `The model has no MatMul or Gemm with constant float32 weights that int8-dynamic could quantize. ${reasons}`.trim(),
    {
      hint: 'Use int8-static with calibration data for convolutional models.',
      details: { skipped: skipped.length },
    },
  )
}

function findMultiplications(
  graph: Graph,
  facts: TensorFactsByName,
  excluded: (node: NodeProto) => boolean,
): { readonly found: Multiplication[]; readonly skipped: SkippedNode[] } {
  const found: Multiplication[] = []
  const skipped: SkippedNode[] = []
  for (const node of graph.nodes) {
    if (node.domain !== '' && node.domain !== 'ai.onnx') continue
    const match = multiplication(node, graph, facts)
    if (match === undefined) continue
    const reason = excluded(node) ? 'excluded by the recipe' : typeof match === 'string' ? match : undefined
    if (reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason })
    else if (typeof match === 'object') found.push(match)
  }
  return { found, skipped }
}

/** The multiplication of a node, why it has none, or `undefined` for operators without weights. */
function multiplication(node: NodeProto, graph: Graph, facts: TensorFactsByName): Multiplication | string | undefined {
  if (subgraphs(node).length > 0) return `the sub-graphs of ${node.opType} are left in float32`
  if (node.opType !== 'MatMul' && node.opType !== 'Gemm') return LEFT_IN_FLOAT[node.opType]
  const [activation = '', weightName = '', biasName = ''] = node.input
  if (graph.constant(activation) || facts.get(activation)?.type !== 'float32') return undefined
  const tensor = graph.constant(weightName)
  if (tensor?.dataType !== TensorProto_DataType.FLOAT) return 'its weights are computed while the model runs'
  if (tensor.dims.length !== 2) return `its weights have ${tensor.dims.length} dimensions; 8-bit kernels take a matrix`
  if (!allFinite(tensor)) return 'its weights hold NaN or infinity'
  const gemm = node.opType === 'Gemm'
  if (gemm && intAttribute(node, 'transA', 0) === 1) return 'it transposes its activation'
  const transposed = gemm && intAttribute(node, 'transB', 0) === 1
  const dims = tensor.dims.map(Number)
  const stored = transposed ? rowsLayout(dims) : columnsLayout(dims)
  const bias = graph.constant(biasName)
  if (biasName !== '' && (bias?.dataType !== TensorProto_DataType.FLOAT || !isRowBias(bias, stored.channels)))
    return 'its bias is not a constant row; 8-bit kernels take one value for each column'
  const values = scaled(floatValues(tensor), gemm ? floatAttribute(node, 'alpha', 1) : 1)
  const columns = stored.order.length
  return {
    node,
    activation,
    weightName,
    layout: columnsLayout([columns, stored.channels]),
    weights: transposed ? transpose(values, stored.channels, columns) : values,
    bias: bias && biasRow(bias, stored.channels, floatAttribute(node, 'beta', 1)),
  }
}

/** [N, K] → [K, N] */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!
  return result
}

class DynamicWriter {
  private readonly graph: Graph
  private readonly options: QuantizationOptions
  /** Names of value, scale and zero point of activations quantized so far. */
  private readonly activations = new Map<string, readonly [string, string, string]>()
  private readonly weights = new Map<string, readonly [string, string, string]>()

  constructor(graph: Graph, options: QuantizationOptions) {
    this.graph = graph
    this.options = options
  }

  /** Replaces the node; its name goes to MatMulInteger, from which ONNX Runtime's fused node takes it. */
  rewrite(multiplication: Multiplication): void {
    const { graph } = this
    const { node, activation, bias } = multiplication
    const [output = ''] = node.output
    const [values, scale, zeroPoint] = this.quantizedActivation(activation)
    const [weights, weightScale, weightZeroPoint] = this.quantizedWeights(multiplication)
    const fresh = (part: string): string => graph.freshName(`${output}_${part}`)
    const [accumulated, sums, scales, product] = [fresh('accumulated'), fresh('sums'), fresh('scales'), bias ? fresh('product') : output]
    graph.removeNodes([node])
    const nodes = [
      makeNode('MatMulInteger', [values, weights, zeroPoint, weightZeroPoint], [accumulated], {}, { name: node.name }),
      makeNode('Cast', [accumulated], [sums], { to: TensorProto_DataType.FLOAT }, { name: fresh('Cast') }),
      makeNode('Mul', [scale, weightScale], [scales], {}, { name: fresh('Mul_scales') }),
      makeNode('Mul', [sums, scales], [product], {}, { name: fresh('Mul') }),
    ]
    if (bias) {
      const row = fresh('bias')
      graph.addInitializer(makeTensor(row, 'float32', [bias.length], bias))
      nodes.push(makeNode('Add', [product, row], [output], {}, { name: fresh('Add') }))
    }
    graph.insertNodes(nodes)
  }

  private quantizedActivation(tensor: string): readonly [string, string, string] {
    const known = this.activations.get(tensor)
    if (known) return known
    const { graph } = this
    const names = [
      graph.freshName(`${tensor}_quantized`),
      graph.freshName(`${tensor}_scale`),
      graph.freshName(`${tensor}_zero_point`),
    ] as const
    graph.insertNodes([
      makeNode('DynamicQuantizeLinear', [tensor], names, {}, { name: graph.freshName(`${tensor}_DynamicQuantizeLinear`) }),
    ])
    this.activations.set(tensor, names)
    return names
  }

  private quantizedWeights({ weightName, layout, weights }: Multiplication): readonly [string, string, string] {
    const { graph, options } = this
    const rules = targetRules(options.target)
    const scales = weightScales(weights, { slot: 1, layout, depthwise: false }, { perChannel: options.perChannel, rules })
    const quantized = quantizeWeights(weights, layout, scales)
    // Nodes that share a weight with other factors have other values: the key holds what makes them differ.
    const key = `${weightName} ${layout.order.length} ${scales.join()}`
    const known = this.weights.get(key)
    if (known) return known
    const names = [
      graph.freshName(`${weightName}_quantized`),
      graph.freshName(`${weightName}_scale`),
      graph.freshName(`${weightName}_zero_point`),
    ] as const
    const scaleDims = scales.length > 1 ? [scales.length] : []
    graph.addInitializer(makeTensor(names[0], 'int8', [layout.order.length, layout.channels], quantized))
    graph.addInitializer(makeTensor(names[1], 'float32', scaleDims, scales))
    graph.addInitializer(makeTensor(names[2], 'int8', scaleDims, new Int8Array(scales.length)))
    this.weights.set(key, names)
    return names
  }
}
