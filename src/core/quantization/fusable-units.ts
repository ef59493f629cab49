import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { matchAddResidual, matchConcat, matchElementwise, matchUnary, matchWhere } from './combining-units.ts'
import { matchMove } from './moving-units.ts'
import { skipReason } from './skip-reasons.ts'
import type { TargetRules } from './target-rules.ts'
import type { TensorFactsByName } from './tensor-facts.ts'
import type { WeightLayout } from './weight-layout.ts'
import { matchConv, matchGemm, matchMatMul } from './weighted-units.ts'

/** The constant weights of an operator: which input they are and how they lie in memory. */
export interface UnitWeight {
  readonly slot: number
  readonly layout: WeightLayout
  /** ONNX Runtime's depthwise kernel adds up in 32 bits: no pair can saturate. */
  readonly depthwise: boolean
}

/**
 * Operators that the runtime runs as one 8-bit kernel when Q/DQ pairs stand around them. Quantizing anything else costs
 * time and gains nothing.
 */
export interface FusableUnit {
  /**
   * `weighted`: Conv, Gemm, MatMul with constant weights; always worth it. `combining`: computes on activations.
   * `moving`: gives out values it read, so that its output has the scale of its input.
   */
  readonly kind: 'weighted' | 'combining' | 'moving'
  readonly node: NodeProto
  /** Inputs that are read as 8-bit activations; some may be constants. */
  readonly activations: readonly number[]
  readonly weight?: UnitWeight
  /** Input that holds a constant bias. */
  readonly biasSlot?: number
  /** An Add of a constant bias right after MatMul: it stays in float, the unit's output is behind it. */
  readonly biasAdd?: NodeProto
  /** A ReLU or Clip right after that says no more than the range of the quantized output. */
  readonly activation?: NodeProto
  /** The kernel can give out float32, so that its output need not be quantized. */
  readonly floatOutput: boolean
}

/** What a unit is matched against. */
export interface MatchContext {
  readonly graph: Graph
  readonly facts: TensorFactsByName
  readonly rules: TargetRules
  readonly excluded: (node: NodeProto) => boolean
}

/** A unit, or why there is none, or nothing to say. */
export type Match = FusableUnit | { readonly reason: string } | undefined

/** A node that could have been quantized and was not. */
export interface SkippedNode {
  readonly node: string
  readonly op: string
  readonly reason: string
}

type Matcher = (node: NodeProto, context: MatchContext) => Match

const WEIGHTED: Readonly<Record<string, Matcher>> = { Conv: matchConv, Gemm: matchGemm, MatMul: matchMatMul }

/** What ONNX Runtime's CPU provider fuses (`qdq_selector_action_transformer.cc`, 1.30). */
const AROUND: Readonly<Record<string, Matcher>> = {
  ...WEIGHTED,
  Add: matchElementwise,
  Mul: matchElementwise,
  AveragePool: matchUnary,
  GlobalAveragePool: matchUnary,
  LeakyRelu: matchUnary,
  Sigmoid: matchUnary,
  Softmax: matchUnary,
  Concat: matchConcat,
  Where: matchWhere,
  Expand: matchMove,
  Flatten: matchMove,
  Gather: matchMove,
  GatherElements: matchMove,
  MaxPool: matchMove,
  ReduceMax: matchMove,
  ReduceMin: matchMove,
  Reshape: matchMove,
  Resize: matchMove,
  Slice: matchMove,
  Split: matchMove,
  Squeeze: matchMove,
  Tile: matchMove,
  Transpose: matchMove,
  Unsqueeze: matchMove,
}

/** What TensorRT wants quantized inputs on; Add only on the branch that does not come from a convolution. */
const INPUTS: Readonly<Record<string, Matcher>> = {
  ...WEIGHTED,
  Add: matchAddResidual,
  AveragePool: matchUnary,
  GlobalAveragePool: matchUnary,
  MaxPool: matchMove,
}

/** What {@link findFusableUnits} found. */
export interface FoundUnits {
  readonly units: FusableUnit[]
  readonly skipped: SkippedNode[]
  /** Nodes that could be units and were excluded. */
  readonly excluded: ReadonlySet<NodeProto>
}

/** All units of the main graph in graph order, and the float nodes that are none with the reason. */
export function findFusableUnits(context: MatchContext): FoundUnits {
  const matchers = context.rules.placement === 'around' ? AROUND : INPUTS
  const units: FusableUnit[] = []
  const reasons = new Map<NodeProto, string>()
  const excluded = new Set<NodeProto>()
  for (const node of context.graph.nodes) {
    const matcher = node.domain === '' || node.domain === 'ai.onnx' ? matchers[node.opType] : undefined
    if (context.excluded(node)) {
      if (matcher) {
        reasons.set(node, 'excluded by the recipe')
        excluded.add(node)
      }
      continue
    }
    const match = matcher ? matcher(node, context) : skipReason(node, context)
    if (match && 'reason' in match) reasons.set(node, match.reason)
    else if (match) units.push(match)
  }
  const partOfUnit = new Set(units.flatMap(({ biasAdd, activation }) => [biasAdd, activation]))
  const skipped = [...reasons]
    .filter(([node]) => !partOfUnit.has(node))
    .map(([node, reason]) => ({ node: node.name, op: node.opType, reason }))
  return { units: units.filter(({ node }) => !partOfUnit.has(node)), skipped, excluded }
}

/** The tensors a unit gives out: behind its bias and, where its output is quantized, behind its activation. */
export function unitOutputs(unit: FusableUnit, quantized: boolean): readonly string[] {
  const last = (quantized ? unit.activation : undefined) ?? unit.biasAdd ?? unit.node
  return last.output.filter((name) => name !== '')
}

/** The tensors a unit reads as activations, constants left out. */
export function activationTensors(unit: FusableUnit, graph: Graph): string[] {
  return unit.activations.map((slot) => unit.node.input[slot]!).filter((tensor) => !graph.constant(tensor))
}
