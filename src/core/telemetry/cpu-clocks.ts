import { listPaths, readNumber, type SystemFiles } from './system-files.ts'

/** Cores that share a clock. Clocks in MHz; null: not told. */
export interface CpuCluster {
  /** Numbers of the cores that are on, as the kernel lists them: `0-3`. */
  readonly cores: string
  readonly governor: string | null
  readonly currentMhz: number | null
  readonly allowedMhz: number | null
  readonly maxMhz: number | null
}

/** Folders of the clock policies, one a cluster. */
export function findPolicies(files: SystemFiles): string[] {
  return listPaths(files, '/sys/devices/system/cpu/cpufreq', /^policy\d+$/)
}

/** The clusters of a board as its clock policies describe them. */
export function readClusters(files: SystemFiles, policies: readonly string[]): CpuCluster[] {
  return policies.map((policy) => ({
    cores: asRanges(coreNumbers(files, policy)) || policy.slice(policy.lastIndexOf('policy') + 'policy'.length),
    governor: files.read(`${policy}/scaling_governor`)?.slice(0, 40) || null,
    currentMhz: megahertz(files, `${policy}/scaling_cur_freq`),
    allowedMhz: megahertz(files, `${policy}/scaling_max_freq`),
    maxMhz: megahertz(files, `${policy}/cpuinfo_max_freq`),
  }))
}

/** Mean of the current clocks of all cores that are on, MHz, and the smallest allowed over possible clock. */
export function readClocks(files: SystemFiles, policies: readonly string[]): { clockMhz: number | null; allowedClock: number | null } {
  let cores = 0
  let sumMhz = 0
  let allowedClock: number | null = null
  for (const policy of policies) {
    const count = coreNumbers(files, policy).length || 1
    const currentMhz = megahertz(files, `${policy}/scaling_cur_freq`)
    if (currentMhz !== null) {
      cores += count
      sumMhz += currentMhz * count
    }
    const allowedMhz = megahertz(files, `${policy}/scaling_max_freq`)
    const maxMhz = megahertz(files, `${policy}/cpuinfo_max_freq`)
    if (allowedMhz && maxMhz) allowedClock = Math.min(allowedClock ?? 1, allowedMhz / maxMhz)
  }
  return { clockMhz: cores > 0 ? sumMhz / cores : null, allowedClock }
}

/** The kernel counts in kHz. */
function megahertz(files: SystemFiles, path: string): number | null {
  const kilohertz = readNumber(files, path)
  return kilohertz !== undefined && kilohertz > 0 ? kilohertz / 1000 : null
}

/** `affected_cpus` holds the cores that are on, `related_cpus` also those that are off. */
function coreNumbers(files: SystemFiles, policy: string): number[] {
  const text = files.read(`${policy}/affected_cpus`) ?? ''
  return (text.match(/\d{1,4}/g) ?? []).slice(0, 4096).map(Number)
}

/** `0 1 2 3 6` → `0-3,6`. */
function asRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last && last[1] + 1 === number) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}
