import { execFile } from 'node:child_process'
import { activeCooling, findCoolingDevices } from '../../core/telemetry/cooling-devices.ts'
import { processorTemperature, readThermalZones } from '../../core/telemetry/thermal-zones.ts'
import { firmwareWords, readThrottled } from '../../core/telemetry/vcgencmd.ts'
import { listSystemFolder, readSystemFile, readSystemNumber, rootedFiles, type SystemRoot } from '../../platform/system-files.ts'
import { isRaspberryPi } from './device-tree.ts'

/** How fast the processor is allowed to run, and how hot it is. Unknown facts are `undefined`. */
export interface ClockState {
  readonly governor: string | undefined
  /** Kernel driver behind the governor. */
  readonly driver: string | undefined
  /** Allowed over possible clock, 0 to 1. */
  readonly allowedClock: number | undefined
  readonly temperatureC: number | undefined
  /** Throttling events since boot that the kernel counted (x86). */
  readonly throttleCount: number | undefined
  /** Raspberry Pi: the firmware's bits. 0 under-voltage, 1 clock capped, 2 throttled, 3 soft temperature limit; 16 to 19 the same since boot. */
  readonly firmwareBits: number | undefined
  /** Cooling devices of the kernel that slow the processor at this moment, in words. */
  readonly cooling: readonly string[] | undefined
}

/** An allowed clock below this share is a limit; the files round. */
export const FULL_CLOCK = 0.99

const FREQUENCY = '/sys/devices/system/cpu/cpufreq'

/** A firmware that does not answer must not hold up a measurement. */
const FIRMWARE_TIMEOUT_MS = 1000

/** Reads the state. Starts `vcgencmd` where the machine is a Raspberry Pi. */
export async function readClockState(root: SystemRoot): Promise<ClockState> {
  const policies = listSystemFolder(root, FREQUENCY, /^policy\d+$/).map((name) => `${FREQUENCY}/${name}`)
  const first = policies[0]
  const throttled = listSystemFolder(root, '/sys/devices/system/cpu', /^cpu\d+$/).flatMap((name) => {
    const folder = `/sys/devices/system/cpu/${name}/thermal_throttle`
    return [readSystemNumber(root, `${folder}/core_throttle_count`), readSystemNumber(root, `${folder}/package_throttle_count`)]
  })
  const counts = throttled.filter((count) => count !== undefined)
  return {
    governor: first && readSystemFile(root, `${first}/scaling_governor`),
    driver: first && readSystemFile(root, `${first}/scaling_driver`),
    ...readQuickClocks(root),
    throttleCount: counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : undefined,
    firmwareBits: isRaspberryPi(root) ? await readFirmwareBits() : undefined,
    cooling: readCooling(root),
  }
}

/** Conditions that hold clocks down, in words. */
export function clockWarnings(before: ClockState, after: ClockState): string[] {
  const warnings: string[] = []
  if (staysAtLowestClock(before)) {
    warnings.push('The CPU governor is "powersave": the processor stays at its lowest clock, so latencies are longer than they need to be.')
  }
  const allowed = smallest([before.allowedClock, after.allowedClock])
  if (allowed !== undefined && allowed < FULL_CLOCK) {
    warnings.push(`The processor may only use ${Math.round(allowed * 100)} % of its highest clock.`)
  }
  return [...warnings, ...throttleReasons(before, after)]
}

/** Signs that heat or power held clocks down between two readings, in words. A limit that somebody has set is none. */
export function throttleReasons(before: ClockState, after: ClockState): string[] {
  const reasons: string[] = []
  if ((after.throttleCount ?? 0) > (before.throttleCount ?? 0)) {
    reasons.push('The processor got too hot and throttled during the measurement.')
  }
  if (before.allowedClock !== undefined && after.allowedClock !== undefined && after.allowedClock < before.allowedClock * FULL_CLOCK) {
    const [from, to] = [before.allowedClock, after.allowedClock].map((clock) => `${Math.round(clock * 100)} %`)
    reasons.push(`The allowed clock fell from ${from} to ${to} of the highest during the measurement.`)
  }
  const during = (after.firmwareBits ?? 0) & ~(before.firmwareBits ?? 0) & 0xf0000
  const names = firmwareWords((before.firmwareBits ?? 0) | (after.firmwareBits ?? 0) | (during >>> 16))
  if (names.length > 0) reasons.push(`The Raspberry Pi reported ${names.join(', ')} during the measurement.`)
  return reasons
}

/** Whether the governor keeps the processor slow. Under two drivers "powersave" is the ordinary dynamic governor. */
export function staysAtLowestClock({ governor, driver }: ClockState): boolean {
  return governor === 'powersave' && !/^(intel_pstate|amd[-_]pstate[-_]epp)$/.test(driver ?? '')
}

/** The part of the state that changes while a model runs and takes no process to read: some 50 µs. */
export function readQuickClocks(root: SystemRoot): Pick<ClockState, 'allowedClock' | 'temperatureC'> {
  const policies = listSystemFolder(root, FREQUENCY, /^policy\d+$/).map((name) => `${FREQUENCY}/${name}`)
  return {
    allowedClock: smallest(policies.map((policy) => allowedClock(root, policy))),
    temperatureC: processorTemperature(readThermalZones(rootedFiles(root))) ?? undefined,
  }
}

function allowedClock(root: SystemRoot, policy: string): number | undefined {
  const allowed = readSystemNumber(root, `${policy}/scaling_max_freq`)
  const possible = readSystemNumber(root, `${policy}/cpuinfo_max_freq`)
  return allowed && possible ? allowed / possible : undefined
}

function readCooling(root: SystemRoot): string[] | undefined {
  const files = rootedFiles(root)
  const devices = findCoolingDevices(files)
  return devices.length > 0 ? activeCooling(files, devices) : undefined
}

/** `throttled=0x50005` → 0x50005. */
function readFirmwareBits(): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile('vcgencmd', ['get_throttled'], { timeout: FIRMWARE_TIMEOUT_MS }, (error, stdout) => {
      resolve(error ? undefined : (readThrottled(stdout) ?? undefined))
    })
  })
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}
