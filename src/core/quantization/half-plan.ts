import type { NodeProto } from 'onnx-buf'
import { subgraphs } from '../onnx/graph.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import type { FlowScope } from './half-flow.ts'
import { floatIslands } from './half-islands.ts'
import { type HalfMode, halfMode } from './half-modes.ts'

/** Settings that decide which nodes become float16. */
export interface HalfChoice {
  /** Inputs and outputs stay float32. */
  readonly keepIoTypes: boolean
  /** Nodes to leave in float32: names, operator types, patterns. */
  readonly exclude: readonly string[]
  /** The only nodes to convert; all without it. */
  readonly include?: readonly string[]
  /** Further nodes (by name) to leave in float32, with the reason. */
  readonly blocked?: ReadonlyMap<string, string>
}

/** What happens to each node. */
export interface HalfPlan {
  readonly modes: ReadonlyMap<NodeProto, HalfMode['mode']>
  /** Nodes that work in float16, by name, outer graphs first. */
  readonly converted: readonly string[]
  readonly skipped: readonly SkippedNode[]
}

const EXCLUDED = 'excluded by the recipe'
const ISLAND = 'it lies between float32 operators: in float16 it would take more casts'

/** Decides for every node of every graph whether it works in float16, and says why not. */
export function planHalf(flow: readonly FlowScope[], choice: HalfChoice): HalfPlan {
  const decided = new Map(flow.flatMap((scope) => decide(scope, flow, choice)))
  const modes = new Map([...decided].map(([node, { mode }]) => [node, mode]))
  const islands = floatIslands(flow, modes, choice.keepIoTypes)
  const halves = [...modes].flatMap(([node, mode]) => (mode === 'half' ? [node] : []))
  // An island that is the whole model is what fp16 was not asked for.
  if (halves.some((node) => !islands.has(node))) {
    for (const node of islands) {
      modes.set(node, 'float')
      decided.set(node, { mode: 'float', reason: ISLAND })
    }
  }
  return {
    modes,
    converted: [...modes].flatMap(([{ name }, mode]) => (mode === 'half' ? [name] : [])),
    skipped: [...decided].flatMap(([{ name, opType }, { mode, ...why }]) =>
      mode === 'float' && 'reason' in why ? [{ node: name, op: opType, reason: why.reason }] : [],
    ),
  }
}

function decide(scope: FlowScope, flow: readonly FlowScope[], { exclude, include, blocked }: HalfChoice): [NodeProto, HalfMode][] {
  const excluded = exclusion(exclude, include)
  const withBodies = exclusion(exclude)
  // A holder that is excluded takes its bodies along; one that is only not included leaves them to their own names.
  const inherited = holders(scope, flow).some(withBodies)
  return scope.graph.nodes.map((node) => {
    const bodiesKnown = subgraphs(node).every((body) => flow.find(({ graph }) => graph.proto === body)?.facts.known)
    const found = halfMode(node, scope.facts, bodiesKnown)
    const reason =
      (found.mode === 'float' ? undefined : blocked?.get(node.name)) ??
      ((inherited || excluded(node)) && found.mode === 'half' ? EXCLUDED : undefined)
    return [node, reason === undefined ? found : { mode: 'float', reason }]
  })
}

/** The nodes that hold a graph and those around it. */
function holders(scope: FlowScope, flow: readonly FlowScope[]): NodeProto[] {
  if (!scope.holder) return []
  const outer = flow.find(({ graph }) => graph === scope.graph.parent)
  return [scope.holder, ...(outer ? holders(outer, flow) : [])]
}
