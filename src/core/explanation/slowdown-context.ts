import type { NodeProto } from 'onnx-buf'
import type { CorrespondingKernels } from './corresponding-nodes.ts'
import { correspondingKernels } from './corresponding-nodes.ts'
import { changesLayout, convertsTypes, dequantizesConstant, worksIn8Bits } from './kernel-kinds.ts'
import { isConversion, type ModelProfile, mainNode, type ProfiledKernel } from './model-profile.ts'

/** The machine that was measured. */
export interface Machine {
  /** As Node.js calls it: `x64`, `arm64`. */
  readonly architecture: string
  /** Instruction sets as Linux names them; empty where the system does not tell. */
  readonly features: readonly string[]
  readonly threads: number
}

/** One reason; the contract's `slowdownFindingSchema` describes the same. */
export interface SlowdownFinding {
  readonly rule: string
  readonly message: string
  /** Nodes of the model. */
  readonly nodes: string[]
  /** Milliseconds of one inference it explains; null where that cannot be told. */
  readonly lostMs: number | null
}

/** What a rule looks at. */
export interface SlowdownContext {
  readonly baseline: ModelProfile
  readonly build: ModelProfile
  readonly machine: Machine
  readonly rows: readonly CorrespondingKernels[]
  /** Sum of the build's kernels, milliseconds: what shares are of. */
  readonly buildMs: number
  /** Nodes of the build's rewritten graph that compute in float between leaving 8 bits and coming back. */
  readonly islands: ReadonlySet<NodeProto>
  /** Kernels that convert between float and 8 bits inside the network; those at its inputs and outputs are not among them. */
  readonly innerConversions: readonly ProfiledKernel[]
  readonly outerConversions: readonly ProfiledKernel[]
}

/** A rule: what it finds, nothing where it does not apply. Each looks at kernels that no other does, so that times do not add up twice. */
export type SlowdownRule = (context: SlowdownContext) => SlowdownFinding[]

/** Puts together what the rules look at. */
export function slowdownContext(baseline: ModelProfile, build: ModelProfile, machine: Machine): SlowdownContext {
  const rows = correspondingKernels(baseline, build)
  const { islands, conversions } = floatIslands(build)
  const converting = build.kernels.filter((kernel) => convertsTypes(kernel) && !dequantizesConstant(build.rewritten, kernel))
  const inner = new Set(converting.filter(({ rewritten }) => rewritten && conversions.has(rewritten)))
  return {
    baseline,
    build,
    machine,
    rows,
    buildMs: build.kernels.reduce((sum, { ms }) => sum + ms, 0),
    islands,
    innerConversions: [...inner],
    outerConversions: converting.filter((kernel) => !inner.has(kernel)),
  }
}

/** Rows with nodes of the model whose build kernels all work in float. */
export function floatRows({ rows }: SlowdownContext): CorrespondingKernels[] {
  return rows.filter(({ build, sources }) => sources.length > 0 && build.length > 0 && !build.some(worksIn8Bits))
}

/** Rows with nodes of the model that the build runs in 8 bits. */
export function int8Rows({ rows }: SlowdownContext): CorrespondingKernels[] {
  return rows.filter(({ build, sources }) => sources.length > 0 && build.some(worksIn8Bits))
}

/** Nodes of the build that compute in float between leaving 8 bits and coming back, with their kernels. */
export function islandNodes({ build, islands }: SlowdownContext): Map<NodeProto, ProfiledKernel[]> {
  const found = new Map<NodeProto, ProfiledKernel[]>()
  for (const kernel of build.kernels) {
    const node = mainNode(kernel.nodes.filter((entry) => !isConversion(entry)))
    if (!node || !kernel.rewritten || !islands.has(kernel.rewritten) || worksIn8Bits(kernel) || changesLayout(kernel)) continue
    found.set(node, [...(found.get(node) ?? []), kernel])
  }
  return found
}

/** Kernels that do the work of a row; layout changes and conversions left out. */
export function workers(kernels: readonly ProfiledKernel[]): ProfiledKernel[] {
  return kernels.filter((kernel) => !convertsTypes(kernel) && !changesLayout(kernel))
}

/**
 * What lies on a path from a DequantizeLinear (of an activation) to a QuantizeLinear: float nodes (islands) and those conversions.
 */
function floatIslands({ rewritten }: ModelProfile): { readonly islands: Set<NodeProto>; readonly conversions: Set<NodeProto> } {
  const dequantizers = rewritten.nodes.filter(
    ({ opType, input }) => opType === 'DequantizeLinear' && rewritten.constant(input[0] ?? '') === undefined,
  )
  const quantizers = rewritten.nodes.filter(({ opType }) => opType === 'QuantizeLinear')
  const behind = closure(dequantizers, (node) =>
    node.opType === 'QuantizeLinear' ? [] : node.output.flatMap((name) => rewritten.consumers(name)),
  )
  const before = closure(quantizers, (node) =>
    node.opType === 'DequantizeLinear' ? [] : node.input.flatMap((name) => rewritten.producer(name) ?? []),
  )
  const between = [...behind].filter((node) => before.has(node))
  const isConversion = ({ opType }: NodeProto) => opType === 'DequantizeLinear' || opType === 'QuantizeLinear'
  return {
    islands: new Set(between.filter((node) => !isConversion(node))),
    conversions: new Set(between.filter(isConversion)),
  }
}

function closure(start: readonly NodeProto[], next: (node: NodeProto) => readonly NodeProto[]): Set<NodeProto> {
  const found = new Set<NodeProto>()
  const open = [...start]
  for (let node = open.pop(); node; node = open.pop()) {
    if (found.has(node)) continue
    found.add(node)
    open.push(...next(node))
  }
  return found
}
