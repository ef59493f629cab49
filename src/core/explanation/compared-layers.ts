import type { NodeProto } from 'onnx-buf'
import { intAttribute } from '../onnx/graph.ts'
import { sourceNodes } from './corresponding-nodes.ts'
import type { ComparedModel, CorrespondingTensor } from './corresponding-tensors.ts'
import { isEightBitOperator } from './kernel-kinds.ts'
import { mainNode, nodeLabel } from './model-profile.ts'
import type { TensorDistance } from './tensor-distance.ts'

/** A stretch of the baseline up to a tensor that both models have, and how far the build is from it there. */
export interface ComparedLayer {
  /** Label of its main node; of an input, the input's name. */
  readonly layer: string
  /** Operator of that node; `Input` for an input. */
  readonly op: string
  /** Type the build computes it in: `int8`, `float16`, `float32` …; `int8 weights` where only they are stored in 8 bits. */
  readonly precision: string
  /** Nodes of the baseline, none for an input. */
  readonly nodes: readonly NodeProto[]
  readonly main: NodeProto | undefined
  /** The build's node for the main node. */
  readonly buildNode: NodeProto | undefined
  readonly tensor: CorrespondingTensor
  readonly distance: TensorDistance
  /** Layers that it reads, as far as they were compared. */
  readonly inputs: readonly ComparedLayer[]
  /**
   * Signal to noise of its worst input minus its own, dB: what is lost here. Null where it cannot be told: nothing differs, or every
   * input is still the same in both models.
   */
  readonly lostDb: number | null
}

/** Nodes between two tensors that both models have; more than that is no layer. */
const MOST_NODES = 64

/**
 * Cuts a baseline into layers at the tensors that were compared. A convolution with its normalization and ReLU is one layer where the
 * build runs them as one.
 *
 * @param tensors in graph order
 * @param distances by tensor of the baseline
 */
export function comparedLayers(
  baseline: ComparedModel,
  build: ComparedModel,
  tensors: readonly CorrespondingTensor[],
  distances: ReadonlyMap<string, TensorDistance>,
): ComparedLayer[] {
  const layers = new Map<string, ComparedLayer>()
  const built = new Map([...sourceNodes(baseline.graph, build.graph)].map(([node, source]) => [source, node]))
  for (const tensor of tensors) {
    const distance = distances.get(tensor.tensor)
    if (!distance) continue
    const { nodes, reads } = stretch(baseline, tensor, (name) => layers.has(name))
    const inputs = reads.flatMap((name) => layers.get(name) ?? [])
    const main = mainNode(nodes)
    const buildNode = main && built.get(main)
    layers.set(tensor.tensor, {
      layer: main ? nodeLabel(main) : tensor.tensor,
      op: main?.opType ?? 'Input',
      precision: precisionOf(build, buildNode, tensor),
      nodes,
      main,
      buildNode,
      tensor,
      distance,
      inputs,
      lostDb: lost(distance, inputs),
    })
  }
  return [...layers.values()]
}

/** Nodes from a tensor back to others that were compared, in graph order, and those tensors. */
function stretch({ graph }: ComparedModel, { writer }: CorrespondingTensor, compared: (tensor: string) => boolean) {
  const nodes: NodeProto[] = []
  const reads = new Set<string>()
  const seen = new Set<NodeProto>()
  const open = writer ? [writer] : []
  for (let node = open.shift(); node && nodes.length < MOST_NODES; node = open.shift()) {
    if (seen.has(node)) continue
    seen.add(node)
    nodes.unshift(node)
    for (const name of node.input) {
      const producer = graph.producer(name)
      if (compared(name)) reads.add(name)
      else if (producer && producer.opType !== 'Constant') open.push(producer)
    }
  }
  return { nodes, reads: [...reads] }
}

function lost({ sqnrDb }: TensorDistance, inputs: readonly ComparedLayer[]): number | null {
  const known = inputs.flatMap(({ distance }) => distance.sqnrDb ?? [])
  return sqnrDb === null || known.length === 0 ? null : Math.min(...known) - sqnrDb
}

function precisionOf({ graph }: ComparedModel, node: NodeProto | undefined, { type, grid }: CorrespondingTensor): string {
  if (!node) return grid ? 'int8' : type
  if (isEightBitOperator(node.opType)) return 'int8'
  if (node.opType === 'MatMulNBits') return `int${intAttribute(node, 'bits', 4)} weights`
  const [activation, weight] = node.input.slice(0, 2).map((name) => graph.producer(name)?.opType === 'DequantizeLinear')
  if (activation) return 'int8'
  return weight ? 'int8 weights' : type
}
