import type { SystemFiles } from './system-files.ts'

/** Ticks all processors have spent since the start of the system. */
export interface CpuTicks {
  readonly busy: number
  readonly total: number
}

/** From the first line of /proc/stat (proc_stat(5)); time stolen by other virtual machines counts as busy. Null: not told. */
export function readCpuTicks(files: SystemFiles): CpuTicks | null {
  const line = /^cpu\s+([\d ]{1,300})/.exec(files.read('/proc/stat') ?? '')?.[1]
  const ticks = line?.trim().split(/\s+/).map(Number)
  if (!ticks || ticks.length < 5) return null
  // user nice system idle iowait irq softirq steal; guest time is contained in user and nice.
  const total = ticks.slice(0, 8).reduce((sum, count) => sum + count, 0)
  return { total, busy: total - (ticks[3] as number) - (ticks[4] as number) }
}

/** Share of all processors that was in use between two readings, 0 to 1; null where no tick passed. */
export function cpuLoad(before: CpuTicks | null, after: CpuTicks | null): number | null {
  if (!before || !after || after.total <= before.total) return null
  return Math.min(1, Math.max(0, (after.busy - before.busy) / (after.total - before.total)))
}

/** Bytes of one line of /proc/meminfo (`MemTotal`, `MemAvailable`, `SwapTotal`); null where it is not there. */
export function memoryBytes(meminfo: string, key: 'MemTotal' | 'MemAvailable' | 'SwapTotal'): number | null {
  const found = new RegExp(`^${key}:\\s+(\\d{1,12}) kB`, 'm').exec(meminfo)
  return found ? Number(found[1]) * 1024 : null
}

/** Memory that programs use and the kernel could not give to another. */
export function usedMemoryBytes(files: SystemFiles): number | null {
  const meminfo = files.read('/proc/meminfo') ?? ''
  const total = memoryBytes(meminfo, 'MemTotal')
  const available = memoryBytes(meminfo, 'MemAvailable')
  return total === null || available === null ? null : Math.max(0, total - available)
}
