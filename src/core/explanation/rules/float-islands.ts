import { type NodeProto, TensorProto_DataType } from 'onnx-buf'
import type { Graph } from '../../onnx/graph.ts'
import type { CorrespondingKernels } from '../corresponding-nodes.ts'
import { hasInt8Kernel, worksIn8Bits } from '../kernel-kinds.ts'
import { mainNode, nodeLabel, type ProfiledKernel } from '../model-profile.ts'
import { floatRows, islandNodes, type SlowdownContext, type SlowdownFinding } from '../slowdown-context.ts'
import { unfusedReason } from '../unfused-reason.ts'
import { byOperator, counted, inMs, someNodes } from '../wording.ts'

/** Conv, MatMul and Gemm between Q/DQ pairs that run in float32 all the same. */
export function unfusedUnits(context: SlowdownContext): SlowdownFinding[] {
  const { build, machine } = context
  const byReason = new Map<string, CorrespondingKernels[]>()
  for (const row of floatRows(context)) {
    const nodes = row.build.flatMap((kernel) => kernel.nodes)
    const reason = nodes.flatMap((node) => unfusedReason(build.graph, node, machine) ?? [])[0]
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), row])
  }
  return [...byReason].map(([reason, rows]) => {
    const nodes = rows.flatMap(({ sources }) => mainNode(sources) ?? [])
    return {
      rule: 'unfused-unit',
      message: `${counted(nodes.length, 'node')} with Q/DQ pairs around ${nodes.length === 1 ? 'it runs' : 'them run'} in float32, because ${reason}: ${someNodes(nodes)}. ${nodes.length === 1 ? 'It takes' : 'They take'} ${inMs(total(rows, 'buildMs'))}, ${inMs(total(rows, 'baselineMs'))} in the baseline.`,
      nodes: nodes.map(nodeLabel),
      lostMs: lost(rows),
    }
  })
}

/** Nodes with float weights that run in 8 bits all the same: ONNX Runtime rounds their weights itself when it finds them between Q/DQ pairs. */
export function quantizedByRuntime({ build }: SlowdownContext): SlowdownFinding[] {
  const nodes = build.kernels.filter(worksIn8Bits).flatMap((kernel) => kernel.nodes.filter((node) => hasFloatWeights(build.graph, node)))
  if (nodes.length === 0) return []
  return [
    {
      rule: 'quantized-by-the-runtime',
      message: `${counted(nodes.length, 'node')} with float32 weights ${nodes.length === 1 ? 'stands' : 'stand'} between Q/DQ pairs, and ONNX Runtime quantizes ${nodes.length === 1 ? 'it' : 'them'} when it loads the build: left out of quantization, computed in 8 bits all the same. ${byOperator(nodes)}: ${someNodes(nodes)}.`,
      nodes: nodes.map(nodeLabel),
      lostMs: null,
    },
  ]
}

function hasFloatWeights(graph: Graph, { opType, input }: NodeProto): boolean {
  return /^(Conv|MatMul|Gemm)$/.test(opType) && graph.constant(input[1] ?? '')?.dataType === TensorProto_DataType.FLOAT
}

/** Operators without an 8-bit kernel between 8-bit nodes. */
export function noInt8Kernel(context: SlowdownContext): SlowdownFinding[] {
  const found = [...islandNodes(context)].filter(([node]) => !hasInt8Kernel(node.opType))
  return inFloat(context, 'no-int8-kernel', found, (operators) => `ONNX Runtime has no 8-bit kernel for ${operators}`)
}

/** Nodes that could run in 8 bits and were left in float between 8-bit nodes. */
export function leftInFloat(context: SlowdownContext): SlowdownFinding[] {
  const { build, machine } = context
  const fits = (node: NodeProto) => hasInt8Kernel(node.opType) && unfusedReason(build.graph, node, machine) === undefined
  const found = [...islandNodes(context)].filter(([node]) => fits(node))
  return inFloat(
    context,
    'left-in-float',
    found,
    (operators) => `There are 8-bit kernels for ${operators} between 8-bit nodes, which stay in float32`,
  )
}

type IslandNode = readonly [NodeProto, readonly ProfiledKernel[]]

function inFloat(
  context: SlowdownContext,
  rule: string,
  found: readonly IslandNode[],
  what: (operators: string) => string,
): SlowdownFinding[] {
  if (found.length === 0) return []
  const nodes = found.map(([node]) => node)
  const kernels = new Set(found.flatMap(([, entries]) => entries))
  const rows = floatRows(context).filter(({ build }) => build.some((kernel) => kernels.has(kernel)))
  const ms = [...kernels].reduce((sum, kernel) => sum + kernel.ms, 0)
  const [subject, object] = nodes.length === 1 ? ['It takes', 'it'] : ['They take', 'them']
  return [
    {
      rule,
      message: `${what(byOperator(nodes))}: ${someNodes(nodes)}. ${subject} ${inMs(ms)} in float32, and conversions stand around ${object}.`,
      nodes: nodes.map(nodeLabel),
      // Where the baseline ran a node in one kernel with others, its own time there is not known.
      lostMs: rows.length > 0 ? lost(rows) : null,
    },
  ]
}

function lost(rows: readonly CorrespondingKernels[]): number {
  return rows.reduce((sum, { lostMs }) => sum + Math.max(0, lostMs), 0)
}

function total(rows: readonly CorrespondingKernels[], key: 'baselineMs' | 'buildMs'): number {
  return rows.reduce((sum, row) => sum + row[key], 0)
}
