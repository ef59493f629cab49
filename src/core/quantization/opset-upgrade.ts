import type { NodeProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { Graph } from '../onnx/graph.ts'
import type { UpgradeContext } from '../onnx/opset/upgrade-context.ts'
import { UPGRADES_TO_13 } from '../onnx/opset/upgrades-to-13.ts'
import { UPGRADES_TO_26 } from '../onnx/opset/upgrades-to-26.ts'
import { SUPPORTED_VERSIONS } from '../onnx/supported-versions.ts'
import type { TensorFactsByName } from './tensor-facts.ts'

/** The opset that brought one scale per channel to QuantizeLinear and DequantizeLinear. */
export const PER_CHANNEL_OPSET = 13

/** In ascending order, so that a node passes through all of its forms. */
const UPGRADES = [...UPGRADES_TO_13, ...UPGRADES_TO_26]

/** IR version that goes with an operator set. Source: ONNX's release table (docs/Versioning.md). */
const IR_VERSIONS: readonly { readonly opset: number; readonly irVersion: bigint }[] = [
  { opset: 25, irVersion: 13n },
  { opset: 24, irVersion: 12n },
  { opset: 23, irVersion: 11n },
  { opset: 21, irVersion: 10n },
  { opset: 19, irVersion: 9n },
  { opset: 15, irVersion: 8n },
  { opset: 12, irVersion: 7n },
  { opset: 11, irVersion: 6n },
  { opset: 10, irVersion: 5n },
  { opset: 9, irVersion: 4n },
  { opset: 7, irVersion: 3n },
]

/** Raises a model of opset 7 to 12 to opset 13, see {@link raiseOpset}; newer models stay as they are. */
export function upgradeOpset(graph: Graph, facts: TensorFactsByName): void {
  raiseOpset(graph, facts, PER_CHANNEL_OPSET)
}

/**
 * Raises a model's standard operator set, in place, without changing what it computes; sub-graphs too, because they share it.
 * A model of that version or a newer one stays as it is. The IR version is raised to the one that goes with the operator
 * set. Initializers that IR version 3 had to repeat among the inputs become constants, as ONNX Runtime already treats them.
 *
 * @param graph the main graph
 * @param facts types and shapes of the tensors of the main graph (ranks decide how Softmax is written)
 * @param version 7 to 26
 * @throws CoreError `RECIPE_NOT_APPLICABLE` naming the node that has no form in the newer set, for a model older than opset 7
 *   (Add, Mul and Gemm had broadcasting rules of their own), for a version ONNX Runtime does not load, and for a model with
 *   functions of its own (their bodies have operator sets of their own; ONNX Runtime inlines them at level `basic`)
 */
export function raiseOpset(graph: Graph, facts: TensorFactsByName, version: number): void {
  const from = graph.opset
  if (from >= version) return
  checkRange(from, version)
  if (graph.model.functions.length > 0) {
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      `The model has functions of its own, whose operator sets cannot be raised to opset ${version}.`,
      {
        hint: 'Put the step "opset" first: it inlines functions.',
        details: { opset: from, version },
      },
    )
  }
  const due = UPGRADES.filter(({ since }) => from < since && since <= version)
  for (const scope of graph.scopes()) {
    const context: UpgradeContext = { root: graph, scope, facts, from, to: version }
    scope.proto.node = scope.proto.node.flatMap((node) => upgradeNode(node, due, context))
  }
  if (graph.model.irVersion < 4n) dropConstantInputs(graph)
  const irVersion = IR_VERSIONS.find(({ opset }) => version >= opset)?.irVersion ?? 3n
  if (graph.model.irVersion < irVersion) graph.model.irVersion = irVersion
  graph.requireOpset('', version)
  graph.reindex()
}

function upgradeNode(node: NodeProto, due: typeof UPGRADES, context: UpgradeContext): NodeProto[] {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return [node]
  const [before, after]: [NodeProto[], NodeProto[]] = [[], []]
  for (const { op, apply } of due) {
    // An upgrade may have renamed the node; what it put around it is in its final form.
    if (op !== node.opType) continue
    const nodes = apply(node, context) ?? [node]
    const place = nodes.indexOf(node)
    before.push(...nodes.slice(0, place))
    after.unshift(...nodes.slice(place + 1))
  }
  return [...before, node, ...after]
}

function dropConstantInputs({ proto }: Graph): void {
  const constants = new Set(proto.initializer.map(({ name }) => name))
  proto.input = proto.input.filter(({ name }) => !constants.has(name))
}

function checkRange(from: number, version: number): void {
  const { min, max } = SUPPORTED_VERSIONS.opset
  if (from < min) {
    throw notApplicable(`The model uses opset ${from}; it can be raised to opset ${version} from opset ${min} on.`, from, version)
  }
  if (version > max) throw notApplicable(`Opset ${version} is newer than what ONNX Runtime loads, which is ${max}.`, from, version)
}

function notApplicable(message: string, from: number, version: number): CoreError {
  return new CoreError('RECIPE_NOT_APPLICABLE', message, {
    hint: `Export the model again with opset ${version} or later.`,
    details: { opset: from, version },
  })
}
