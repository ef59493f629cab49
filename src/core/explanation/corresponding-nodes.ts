import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import { isConversion, type ModelProfile, mainNode, nodeLabel, type ProfiledKernel } from './model-profile.ts'

/** What runs for the same nodes in a baseline and in a build of it. */
export interface CorrespondingKernels {
  /** The node the group is named after; for what a runtime added, its kernel's operator. */
  readonly node: string
  /** The baseline's nodes in it, in graph order. */
  readonly sources: readonly NodeProto[]
  readonly baseline: readonly ProfiledKernel[]
  readonly build: readonly ProfiledKernel[]
  readonly baselineMs: number
  readonly buildMs: number
  /** Build minus baseline: positive when the build loses time here. */
  readonly lostMs: number
}

/**
 * Groups kernels of a baseline and of a build by the nodes they compute: two kernels belong together when they share a node, or are
 * linked by others that do. A convolution with the addition behind it may be one kernel here and two there. Layout changes and
 * casts that the runtime added stay alone, all of one operator as one group.
 *
 * @returns largest loss first
 */
export function correspondingKernels(baseline: ModelProfile, build: ModelProfile): CorrespondingKernels[] {
  const sources = sourceNodes(baseline.graph, build.graph)
  const groups = new Groups()
  for (const kernel of baseline.kernels) groups.add('baseline', kernel, kernel.nodes.filter(computes))
  for (const kernel of build.kernels)
    groups.add(
      'build',
      kernel,
      kernel.nodes.filter(computes).map((node) => sources.get(node) ?? node),
    )
  return groups.result(new Set(baseline.graph.scopes().flatMap((scope) => [...scope.nodes])))
}

/**
 * Milliseconds of one inference that the build takes less than the baseline (negative: more), by the node that each group is named
 * after. Unlike a difference of single nodes it counts what one side runs in one kernel and the other in several.
 */
export function gainsByNode(baseline: ModelProfile, build: ModelProfile): Map<string, number> {
  const rows = correspondingKernels(baseline, build).filter(({ sources }) => sources.length > 0)
  return new Map(rows.map(({ node, lostMs }) => [node, -lostMs]))
}

/**
 * The node of the baseline that a node of the build stands for: the one of its name, else the one that writes the tensor it writes
 * (behind a Q/DQ pair, where the build has put one there).
 */
export function sourceNodes(baseline: Graph, build: Graph): Map<NodeProto, NodeProto> {
  const sources = new Map<NodeProto, NodeProto>()
  const built = build.scopes().flatMap((scope) => [...scope.nodes])
  const byName = new Map(built.filter(({ name }) => name !== '').map((node) => [node.name, node]))
  const originals = baseline.scopes().flatMap((scope) => [...scope.nodes])
  // A node that has its namesake in the other graph stands for that one only.
  const names = new Set(originals.map(({ name }) => name))
  const free = (node: NodeProto) => node.name === '' || !names.has(node.name)
  for (const node of originals) {
    const named = node.name === '' ? undefined : byName.get(node.name)
    const found = named ?? node.output.map((output) => rawProducer(build, output)).find((producer) => producer && free(producer))
    if (found && !sources.has(found)) sources.set(found, node)
  }
  return sources
}

/** Who makes a tensor, quantizers and dequantizers behind it left out. */
function rawProducer(graph: Graph, tensor: string): NodeProto | undefined {
  let node = graph.producer(tensor)
  for (let steps = 0; node && isConversion(node) && steps < 8; steps++) node = graph.producer(node.input[0] ?? '')
  return node
}

function computes(node: NodeProto): boolean {
  return !isConversion(node) && node.opType !== 'Constant'
}

interface Group {
  readonly baseline: ProfiledKernel[]
  readonly build: ProfiledKernel[]
  readonly nodes: Set<NodeProto>
  readonly label: string | undefined
}

/** Disjoint sets of kernels, joined by the nodes they share. */
class Groups {
  private readonly byNode = new Map<NodeProto, Group>()
  private readonly byLabel = new Map<string, Group>()
  private readonly all = new Set<Group>()

  add(side: 'baseline' | 'build', kernel: ProfiledKernel, nodes: readonly NodeProto[]): void {
    const target = nodes.length > 0 ? this.joined(nodes) : this.labelled(alone(kernel))
    target[side].push(kernel)
  }

  result(known: ReadonlySet<NodeProto>): CorrespondingKernels[] {
    const rows = [...this.all].map(({ baseline, build, nodes, label }): CorrespondingKernels => {
      const sources = [...nodes].filter((node) => known.has(node))
      const main = mainNode(sources.length > 0 ? sources : [...nodes])
      const [baselineMs, buildMs] = [total(baseline), total(build)]
      return { node: label ?? (main ? nodeLabel(main) : ''), sources, baseline, build, baselineMs, buildMs, lostMs: buildMs - baselineMs }
    })
    return rows.sort((a, b) => b.lostMs - a.lostMs)
  }

  private labelled(label: string): Group {
    const group = this.byLabel.get(label) ?? { baseline: [], build: [], nodes: new Set<NodeProto>(), label }
    this.byLabel.set(label, group)
    this.all.add(group)
    return group
  }

  private joined(nodes: readonly NodeProto[]): Group {
    const found = [...new Set(nodes.flatMap((node) => this.byNode.get(node) ?? []))]
    const [target = { baseline: [], build: [], nodes: new Set<NodeProto>(), label: undefined }, ...others] = found
    this.all.add(target)
    for (const other of others) {
      target.baseline.push(...other.baseline)
      target.build.push(...other.build)
      for (const node of other.nodes) this.assign(node, target)
      this.all.delete(other)
    }
    for (const node of nodes) this.assign(node, target)
    return target
  }

  private assign(node: NodeProto, group: Group): void {
    group.nodes.add(node)
    this.byNode.set(node, group)
  }
}

/** How a kernel without nodes is called: a conversion of the model by its node's name, what the runtime added by its operator. */
function alone({ op, nodes }: ProfiledKernel): string {
  return nodes[0] ? nodeLabel(nodes[0]) : `${op} (placed by ONNX Runtime)`
}

function total(kernels: readonly ProfiledKernel[]): number {
  return kernels.reduce((sum, { ms }) => sum + ms, 0)
}
