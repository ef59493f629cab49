import type { NodeProto } from 'onnx-buf'
import { type KernelCost, sumOrNull } from './kernel-costs.ts'

/** Time and work of all kernels of one kind. */
export interface OperatorTotal {
  readonly kernel: string
  readonly count: number
  readonly ms: number
  readonly macs: number | null
}

/** Time and work of one layer. */
export interface LayerTotal {
  readonly layer: string
  readonly op: string
  readonly kernels: string[]
  readonly precision: string
  readonly ms: number
  readonly macs: number | null
  readonly bytes: number
}

/** Sums by kind of kernel, most time first. */
export function totalsByOperator(costs: readonly KernelCost[]): OperatorTotal[] {
  const groups = grouped(costs, ({ kernel }) => kernel)
  return [...groups]
    .map(([kernel, entries]) => ({
      kernel,
      count: entries.length,
      ms: total(entries, ({ ms }) => ms),
      macs: sumOrNull(entries.map(({ macs }) => macs)),
    }))
    .sort((a, b) => b.ms - a.ms)
}

/**
 * Sums by layer, in the order the layers first ran. A layer's precision is that of its kernel that took longest.
 *
 * @param operators operator of each node by its label
 */
export function totalsByLayer(costs: readonly KernelCost[], operators: ReadonlyMap<string, NodeProto['opType']>): LayerTotal[] {
  return [...grouped(costs, ({ layer }) => layer)].map(([layer, entries]) => ({
    layer,
    op: operators.get(layer) ?? entries[0]!.kernel,
    kernels: [...new Set(entries.map(({ kernel }) => kernel))],
    precision: entries.reduce((longest, entry) => (entry.ms > longest.ms ? entry : longest)).precision,
    ms: total(entries, ({ ms }) => ms),
    macs: sumOrNull(entries.map(({ macs }) => macs)),
    bytes: total(entries, ({ weightBytes, inputBytes, outputBytes }) => weightBytes + inputBytes + outputBytes),
  }))
}

function grouped(costs: readonly KernelCost[], key: (cost: KernelCost) => string): Map<string, KernelCost[]> {
  const groups = new Map<string, KernelCost[]>()
  for (const cost of costs) {
    const group = groups.get(key(cost))
    if (group) group.push(cost)
    else groups.set(key(cost), [cost])
  }
  return groups
}

function total(costs: readonly KernelCost[], part: (cost: KernelCost) => number): number {
  return costs.reduce((sum, cost) => sum + part(cost), 0)
}
