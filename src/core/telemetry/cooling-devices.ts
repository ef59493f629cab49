import { listPaths, readNumber, type SystemFiles } from './system-files.ts'

/**
 * Cooling devices of the kernel that slow a processor down. Fans are left out, and so is `hot-surface-alert` of the Jetson, which warns at
 * 70 °C and slows nothing. Types: `cpufreq-cpu0`, `thermal-cpufreq-0`, `devfreq-17000000.gpu` (all boards), `cpu-throttle-alert` (JetPack 5
 * and 6), `cpu-balanced`, `gpu-balanced`, `tegra-heavy` (JetPack 4), `Processor` and `intel_powerclamp` (PCs).
 */
const SLOWING = /cpufreq|devfreq|throttle-alert|-balanced|-heavy|cpuidle|^Processor$|powerclamp|\.(?:gpu|ga10b|gv11b|gp10b)$/
/** As many as a telemetry reading may name. */
const MOST_NAMED = 8

/** Paths of the cooling devices that slow a processor down, with their types. */
export function findCoolingDevices(files: SystemFiles): { path: string; type: string }[] {
  return listPaths(files, '/sys/class/thermal', /^cooling_device\d+$/).flatMap((path) => {
    const type = files.read(`${path}/type`)
    return type !== undefined && SLOWING.test(type) ? [{ path, type: type.slice(0, 60) }] : []
  })
}

/** What slows the processor right now, in words: `thermal-cpufreq-0 at 3 of 10`. */
export function activeCooling(files: SystemFiles, devices: readonly { readonly path: string; readonly type: string }[]): string[] {
  return devices
    .flatMap(({ path, type }) => {
      const state = readNumber(files, `${path}/cur_state`)
      if (state === undefined || state <= 0) return []
      const most = readNumber(files, `${path}/max_state`)
      return [most === undefined ? `${type} at ${state}` : `${type} at ${state} of ${most}`]
    })
    .slice(0, MOST_NAMED)
}
