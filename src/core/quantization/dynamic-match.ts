import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import type { DynamicWriter, WeightLoss } from './dynamic-writer.ts'
import type { ScopeFacts } from './scope-facts.ts'
import type { TargetRules } from './target-rules.ts'

/** What operators are matched with. */
export interface DynamicContext {
  /** The graph that the node stands in. */
  readonly graph: Graph
  readonly facts: ScopeFacts
  readonly rules: TargetRules
  /** One weight scale for each output channel (row of a table). */
  readonly perChannel: boolean
}

/** An operator that can be written in 8 bits. */
export interface DynamicRewrite {
  readonly node: NodeProto
  /** Float tensors that the node no longer reads afterwards. */
  readonly weights: readonly string[]
  /** Replaces the node in its graph; its name goes to the node that multiplies or looks up. */
  write(writer: DynamicWriter): readonly WeightLoss[]
}

/** The rewrite of a node, why it has none, or `undefined` for nodes that are not meant. */
export type DynamicMatch = DynamicRewrite | string | undefined

/** True for a float32 tensor that is made while the model runs. */
export function isActivation(tensor: string, { graph, facts }: DynamicContext): boolean {
  return tensor !== '' && !graph.constant(tensor) && facts.get(tensor)?.type === 'float32'
}
