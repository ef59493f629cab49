import { cpus } from 'node:os'
import { readSystemFile, type SystemRoot } from '../../platform/system-files.ts'

/** Time all processors have spent since start, in ticks of unknown length: only shares of differences mean something. */
export interface ProcessorTicks {
  readonly busy: number
  readonly total: number
  readonly processors: number
  /** Milliseconds of CPU time this process has used, all threads, and those processes that belong to it. */
  readonly ownMs: number
  readonly atMs: number
}

/**
 * Reads the counters. On Linux time stolen by other virtual machines counts as busy.
 * @param childrenMs CPU time of processes that belong to the measurement
 */
export function readProcessorTicks(root: SystemRoot, childrenMs = 0): ProcessorTicks {
  const clocks = { ownMs: ownCpuMs() + childrenMs, atMs: performance.now() }
  const lines = readSystemFile(root, '/proc/stat')?.match(/^cpu.*$/gm)
  const sum = lines?.[0]?.trim().split(/\s+/).slice(1).map(Number)
  if (lines && sum && sum.length >= 5 && sum.every(Number.isFinite)) {
    // user nice system idle iowait irq softirq steal; guest time is contained in user and nice.
    const total = sum.slice(0, 8).reduce((all, ticks) => all + ticks, 0)
    return { ...clocks, busy: total - (sum[3] as number) - (sum[4] as number), total, processors: Math.max(1, lines.length - 1) }
  }
  const times = cpus().map((cpu) => cpu.times)
  const total = times.reduce((all, { user, nice, sys, idle, irq }) => all + user + nice + sys + idle + irq, 0)
  return { ...clocks, busy: total - times.reduce((all, { idle }) => all + idle, 0), total, processors: Math.max(1, times.length) }
}

/** Share of all processors' time, 0 to 1, that others than this process used between two readings; `undefined` when no tick passed. */
export function shareOfOthers(before: ProcessorTicks, after: ProcessorTicks): number | undefined {
  const total = after.total - before.total
  if (total <= 0) return undefined
  const own = (after.ownMs - before.ownMs) / ((after.atMs - before.atMs) * after.processors)
  return Math.min(1, Math.max(0, (after.busy - before.busy) / total - own))
}

/** Milliseconds of CPU time this process has used, all threads. */
export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
