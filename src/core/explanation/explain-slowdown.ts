import { slowdownAdvice } from './advice.ts'
import type { CorrespondingKernels } from './corresponding-nodes.ts'
import { kernelLabel, type ModelProfile, type ProfiledKernel } from './model-profile.ts'
import {
  boundaryConversions,
  dynamicQuantization,
  halfPrecisionCasts,
  layoutChanges,
  manyConversions,
  weightsDequantized,
} from './rules/conversions.ts'
import { leftInFloat, noInt8Kernel, quantizedByRuntime, unfusedUnits } from './rules/float-islands.ts'
import { convInteger, depthwiseLayers, fewChannels, floatFusesMore, notFaster, slowNumberTypes, tinyLayers } from './rules/layers.ts'
import {
  fixedCosts,
  halfComputesInFloat,
  memoryBound,
  missingCpuFeature,
  sameKernels,
  threadsIdle,
  zerosCostTime,
} from './rules/whole-model.ts'
import { type Machine, type SlowdownFinding, type SlowdownRule, slowdownContext } from './slowdown-context.ts'

const RULES: readonly SlowdownRule[] = [
  manyConversions,
  boundaryConversions,
  weightsDequantized,
  dynamicQuantization,
  halfPrecisionCasts,
  layoutChanges,
  convInteger,
  unfusedUnits,
  noInt8Kernel,
  leftInFloat,
  quantizedByRuntime,
  slowNumberTypes,
  depthwiseLayers,
  fewChannels,
  floatFusesMore,
  tinyLayers,
  notFaster,
  missingCpuFeature,
  fixedCosts,
  halfComputesInFloat,
  zerosCostTime,
  memoryBound,
  threadsIdle,
  sameKernels,
]

/** A finding that explains less than this share of the build's time is noise. */
const NOTABLE_SHARE = 0.01
/** Rows and kernels in the result; a graph of more is not read line by line. */
const MOST_ROWS = 1000

/** One node's time on one side. */
export interface NodeTime {
  readonly node: string
  readonly kernels: string[]
  readonly ms: number
}

/** Why a build takes the time it takes beside its baseline; the contract's `explanationSchema` adds totals and processor. */
export interface SlowdownExplanation {
  /** Most time lost first, then those without a time. */
  readonly findings: SlowdownFinding[]
  /** Largest loss first. */
  readonly nodes: { readonly node: string; readonly baseline: NodeTime | null; readonly build: NodeTime | null; readonly lostMs: number }[]
  /** Most time first. */
  readonly kernels: { readonly kernel: string; readonly baselineMs: number; readonly buildMs: number }[]
  readonly advice: string | null
}

/** Compares two profiles of one machine and says what the differences come from. */
export function explainSlowdown(baseline: ModelProfile, build: ModelProfile, machine: Machine): SlowdownExplanation {
  const context = slowdownContext(baseline, build, machine)
  const findings = RULES.flatMap((rule) => rule(context))
    .filter(({ lostMs }) => lostMs === null || lostMs === 0 || lostMs >= NOTABLE_SHARE * context.buildMs)
    .sort((a, b) => (b.lostMs ?? -1) - (a.lostMs ?? -1))
  return {
    findings,
    nodes: largest(context.rows, ({ lostMs }) => Math.abs(lostMs)).map((row) => ({
      node: row.node,
      baseline: side(row, row.baseline, row.baselineMs),
      build: side(row, row.build, row.buildMs),
      lostMs: row.lostMs,
    })),
    kernels: kernelTotals(baseline, build),
    advice: slowdownAdvice(context, findings),
  }
}

/** The rows that differ most, in the order given. */
function largest<T>(rows: readonly T[], size: (row: T) => number): readonly T[] {
  if (rows.length <= MOST_ROWS) return rows
  const kept = new Set([...rows].sort((a, b) => size(b) - size(a)).slice(0, MOST_ROWS))
  return rows.filter((row) => kept.has(row))
}

function side({ node }: CorrespondingKernels, kernels: readonly ProfiledKernel[], ms: number): NodeTime | null {
  return kernels.length === 0 ? null : { node, kernels: [...new Set(kernels.map(kernelLabel))], ms }
}

function kernelTotals(baseline: ModelProfile, build: ModelProfile): SlowdownExplanation['kernels'] {
  const totals = new Map<string, { baselineMs: number; buildMs: number }>()
  const add = (profile: ModelProfile, key: 'baselineMs' | 'buildMs') => {
    for (const kernel of profile.kernels) {
      const label = kernelLabel(kernel)
      const entry = totals.get(label) ?? { baselineMs: 0, buildMs: 0 }
      totals.set(label, entry)
      entry[key] += kernel.ms
    }
  }
  add(baseline, 'baselineMs')
  add(build, 'buildMs')
  const listed = [...totals].map(([kernel, times]) => ({ kernel, ...times }))
  return listed.sort((a, b) => Math.max(b.baselineMs, b.buildMs) - Math.max(a.baselineMs, a.buildMs)).slice(0, MOST_ROWS)
}
