import type { ComparedLayer } from './compared-layers.ts'
import type { ComparedModel } from './corresponding-tensors.ts'
import { mainNode } from './model-profile.ts'

/** Answers of two classifiers to the same labelled samples. */
export interface ComparedAnswers {
  readonly classes: number
  readonly labels: Int32Array
  /** Predicted classes, −1 without an answer. */
  readonly baseline: Int32Array
  readonly build: Int32Array
  /** How far the baseline's best score is above its second best; NaN without an answer. */
  readonly margins: Float32Array
}

/** How far the build's outputs are from the baseline's, worst output, dB; null: no difference. */
export interface OutputDistance {
  /** Both run as written, exactly. */
  readonly writtenDb: number | null
  /** Both run as a user's program would, with all optimizations. */
  readonly runDb: number | null
}

/** One reason; the contract's `accuracyExplanationSchema` describes the same. */
export interface AccuracyFinding {
  readonly rule: string
  readonly message: string
  readonly layers: string[]
  readonly classes: number[]
}

/** What a rule looks at. */
export interface AccuracyContext {
  readonly baseline: ComparedModel
  readonly build: ComparedModel
  /** In graph order. */
  readonly layers: readonly ComparedLayer[]
  readonly outputs: OutputDistance
  /** Null for models that do not classify and data without labels. */
  readonly answers: ComparedAnswers | null
}

/**
 * A rule: what it finds, nothing where it does not apply.
 * @param explained layers that rules before it have a reason for
 */
export type AccuracyRule = (context: AccuracyContext, explained: ReadonlySet<string>) => AccuracyFinding[]

/** Below this the noise at the outputs has more than a thirtieth of the signal's size: close answers begin to change. */
const VISIBLE_DB = 30

/** Whether the outputs differ enough for answers to change. */
export function outputsDiffer({ outputs }: AccuracyContext): boolean {
  return outputs.runDb !== null && outputs.runDb < VISIBLE_DB
}

/** A layer as a sentence names it: `"conv1" (Conv, int8)`. */
export function layerText({ layer, op, precision }: Pick<ComparedLayer, 'layer' | 'op' | 'precision'>): string {
  return `${JSON.stringify(layer)} (${op}, ${precision})`
}

/** What `--set exclude=` calls a layer: the name of its main node, or the one that quantization gives a node without. */
export function excludeName({ baseline }: AccuracyContext, { nodes, layer }: ComparedLayer): string {
  const main = mainNode(nodes)
  return main && main.name === '' ? `${main.opType}_${baseline.graph.nodes.indexOf(main)}` : layer
}
