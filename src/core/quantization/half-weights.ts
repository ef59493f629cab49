import { type ModelProto, type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { FidelityAccumulator } from '../metrics/fidelity.ts'
import { makeNode } from '../onnx/builders.ts'
import { Graph, subgraphs } from '../onnx/graph.ts'
import { elementCount, floatValues } from '../onnx/tensor-values.ts'
import { quantizedNode } from './already-quantized.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { constantOverflow } from './half-overflow.ts'
import { prepareForHalf } from './half-precision.ts'
import { type ClampCounts, halfTensor } from './half-tensors.ts'
import { ownNames } from './scope-facts.ts'

/**
 * Values from which on a tensor is stored in float16: 256 values save 512 bytes, the Cast with its names takes about 150.
 * Smaller ones (biases, scales, shapes of resizing) would cost load time for nothing.
 */
const SMALLEST = 256

/** In a quantized model only what these multiply with is taken: other large tensors may be scales, which float16 would round. */
const MULTIPLYING: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Einsum', 'GRU', 'Gemm', 'LSTM', 'MatMul', 'RNN'])

/** Settings of {@link storeWeightsInHalf}. */
export interface HalfWeightOptions {
  /** Nodes whose weights stay as they are: names, operator types, patterns. */
  readonly exclude: readonly string[]
  /** The only nodes whose weights are stored in float16; all without it. */
  readonly include?: readonly string[]
}

/** A model with float16 weights that computes in float32. */
export interface HalfWeights {
  readonly model: ModelProto
  /** Names of the nodes that read such weights. */
  readonly changed: readonly string[]
  readonly skipped: readonly SkippedNode[]
  readonly clamped: Readonly<ClampCounts>
  /** What rounding did to each tensor; null: nothing. */
  readonly weights: readonly { readonly node: string; readonly op: string; readonly tensor: string; readonly sqnrDb: number | null }[]
}

/**
 * Stores float32 weights as float16 with a Cast to float32 right behind, in sub-graphs too. ONNX Runtime computes such casts once
 * while it loads the model (constant folding, level `basic` and above, whatever the size), so that it runs as fast as before from a
 * file of half the size. Each tensor is stored once, however many nodes read it. A quantized model gets its remaining float32 weights
 * stored that way.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when no weights are large enough
 */
export function storeWeightsInHalf(source: ModelProto, options: HalfWeightOptions): HalfWeights {
  const model = prepareForHalf(source)
  const graph = new Graph(model)
  const quantized = graph.scopes().some((scope) => quantizedNode(scope) !== undefined)
  const storing = new WeightStoring(options, quantized)
  // Inner graphs first: outer ones look into them for readers.
  for (const scope of graph.scopes().reverse()) storing.store(scope)
  if (storing.weights.length === 0) {
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      `The model has no float32 weights of ${SMALLEST} values or more that could be stored in float16.`,
      {
        hint: 'Inspect the model: its weights may be of another type, or all are excluded.',
        details: { skipped: storing.skipped.length },
      },
    )
  }
  const { changed, skipped, clamped, weights } = storing
  return { model, changed: [...changed], skipped, clamped, weights }
}

class WeightStoring {
  readonly changed = new Set<string>()
  readonly skipped: SkippedNode[] = []
  readonly clamped: ClampCounts = { tooLarge: 0, tooSmall: 0 }
  readonly weights: HalfWeights['weights'][number][] = []
  private readonly excluded: (node: NodeProto) => boolean
  /** The model is quantized already. */
  private readonly quantized: boolean

  constructor({ exclude, include }: HalfWeightOptions, quantized: boolean) {
    this.excluded = exclusion(exclude, include)
    this.quantized = quantized
  }

  /** Stores the weights that a graph itself holds. */
  store(graph: Graph): void {
    const casts: NodeProto[] = []
    graph.proto.initializer = graph.proto.initializer.map((tensor) => {
      const readers = isLargeWeight(tensor, graph) ? readersOf(tensor.name, graph.consumers(tensor.name)) : []
      const [reader] = readers
      if (!reader || (this.quantized && !readers.every(({ opType }) => MULTIPLYING.has(opType)))) return tensor
      const reason = this.reasonToLeave(readers, tensor)
      if (reason !== undefined) {
        this.skipped.push({ node: reader.name, op: reader.opType, reason })
        return tensor
      }
      const stored = halfTensor(tensor, graph.freshName(`${tensor.name}_half`), this.clamped)
      casts.push(
        makeNode(
          'Cast',
          [stored.name],
          [tensor.name],
          { to: TensorProto_DataType.FLOAT },
          { name: graph.freshName(`${tensor.name}_Cast`) },
        ),
      )
      this.weights.push({ node: reader.name, op: reader.opType, tensor: tensor.name, sqnrDb: lossDb(tensor, stored) })
      for (const { name } of readers) this.changed.add(name)
      return stored
    })
    graph.proto.node.unshift(...casts)
    graph.reindex()
  }

  private reasonToLeave(readers: readonly NodeProto[], tensor: TensorProto): string | undefined {
    if (readers.some(this.excluded)) return 'excluded by the recipe'
    return readers.map((node) => constantOverflow(node, tensor)).find((reason) => reason !== undefined)
  }
}

/** Of float32, large enough, and nothing that a caller can override or gets back. */
function isLargeWeight(tensor: TensorProto, graph: Graph): boolean {
  if (tensor.dataType !== TensorProto_DataType.FLOAT || elementCount(tensor.dims) < SMALLEST) return false
  return graph.constant(tensor.name) === tensor && !graph.isGraphOutput(tensor.name)
}

/** Nodes that read a tensor themselves; those with sub-graphs may do so only in there. */
function readersOf(tensor: string, nodes: readonly NodeProto[]): NodeProto[] {
  return nodes.flatMap((node) => [
    ...(node.input.includes(tensor) ? [node] : []),
    ...subgraphs(node).flatMap((body) => (ownNames(body).includes(tensor) ? [] : readersOf(tensor, body.node))),
  ])
}

function lossDb(before: TensorProto, after: TensorProto): number | null {
  const fidelity = new FidelityAccumulator()
  fidelity.add(floatValues(before), floatValues(after))
  return fidelity.result().sqnrDb
}
