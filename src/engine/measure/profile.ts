import { readFile } from 'node:fs/promises'
import type { ProfileResult } from '../../contract/analysis.ts'
import { kernelCosts } from '../../core/explanation/kernel-costs.ts'
import { nodeLabel } from '../../core/explanation/model-profile.ts'
import { totalsByLayer, totalsByOperator } from '../../core/explanation/profile-totals.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { profileNodes } from '../runtimes/node-profile.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import type { MeasureContext } from './benchmark.ts'
import { clockWarnings, readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { measureMachinePeak } from './machine-peak.ts'
import { busyWarning } from './measurement-warnings.ts'
import { timePlain } from './plain-times.ts'
import { readProcessorTicks, shareOfOthers } from './processor-load.ts'

/** What to profile, on inputs made up for a batch. */
export interface ProfileRequest {
  /** Path of a self-contained .onnx file. */
  readonly model: string
  readonly batch: number
  readonly threads: number
}

/** Rows of kernels that are answered; a window of more is not read line by line. */
const MOST_KERNELS = 10_000

/**
 * Where the time of a model goes: the median of plain runs, then every kernel under ONNX Runtime's profiler, with the
 * multiply-accumulates of the nodes it computes and the bytes it moves, and what the machine can do at most with the same threads,
 * measured right behind. A few seconds in all. Times of single kernels carry a few microseconds of the profiler each.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `USAGE` (batch, inputs), `TOO_LARGE`,
 *   `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function profile(request: ProfileRequest, context: MeasureContext): Promise<ProfileResult> {
  const { reporter, signal, systemRoot = '/' } = context
  const { batch, threads } = request
  const clocks = await readClockState(systemRoot)
  const environment = readEnvironment(systemRoot, clocks, context.edgesmithVersion)
  const ticks = readProcessorTicks(systemRoot)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  await startRuntime()
  const bytes = await readFile(request.model)
  const { feeds, assumptions, plainMs } = await timePlain([bytes], request, context)
  throwIfCancelled(signal)
  const profiled = await profileNodes(bytes, feeds[0]!, {
    threads,
    onRun: (done, total) => {
      throwIfCancelled(signal)
      reporter.progress({ phase: 'profile', done, total, unit: 'runs' })
    },
  })
  const peak = await measureMachinePeak(threads, (done, total) => {
    throwIfCancelled(signal)
    reporter.progress({ phase: 'machine peak', done, total, unit: 'probes' })
  })
  const others = shareOfOthers(ticks, readProcessorTicks(systemRoot))
  const fed = Object.fromEntries(Object.entries(feeds[0]!).map(([name, { dims }]) => [name, dims]))
  const costs = kernelCosts(profiled, fed)
  const operators = new Map(profiled.graph.scopes().flatMap(({ nodes }) => nodes.map((node) => [nodeLabel(node), node.opType] as const)))
  const kept = largest(costs)
  return {
    batch,
    threads,
    plainMs: plainMs?.[0] ?? profiled.runMs,
    profiledMs: profiled.runMs,
    runs: profiled.runs,
    kernels: kept,
    byOp: totalsByOperator(costs),
    byLayer: totalsByLayer(kept, operators),
    peak,
    environment,
    warnings: [
      ...busyWarning(others, 'during the measurement'),
      ...clockWarnings(clocks, await readClockState(systemRoot)),
      ...assumptions,
      ...(kept.length < costs.length
        ? [`The model ran ${costs.length} kernels; the ${kept.length} that took longest are listed, sums by operator hold all.`]
        : []),
    ],
  }
}

/** Those that take longest, in the order they ran. */
function largest<T extends { readonly ms: number }>(rows: readonly T[]): T[] {
  if (rows.length <= MOST_KERNELS) return [...rows]
  const kept = new Set([...rows].sort((a, b) => b.ms - a.ms).slice(0, MOST_KERNELS))
  return rows.filter((row) => kept.has(row))
}
