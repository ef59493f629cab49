import { listPaths, readNumber, type SystemFiles } from './system-files.ts'

/** A thermal zone of the kernel and what it showed. */
export interface ThermalZone {
  readonly name: string
  readonly celsius: number
}

const FOLDER = '/sys/class/thermal'
/** Absent sensors of a Jetson show -256 °C; others 0 K or more than any chip stands. */
const COLDEST_C = -40
const HOTTEST_C = 200
/** Names of zones in or at the processor: Raspberry Pi, Jetson (`tj` is its hottest junction), PCs, Rockchip and other boards. */
const OF_PROCESSOR = /cpu|soc|\btj\b|core|x86_pkg/i

/** Whether a reading comes from a sensor that is there. */
export function isPlausible(celsius: number): boolean {
  return celsius > COLDEST_C && celsius < HOTTEST_C
}

/** All zones with a plausible reading. */
export function readThermalZones(files: SystemFiles): ThermalZone[] {
  return listPaths(files, FOLDER, /^thermal_zone\d+$/).flatMap((path) => {
    const millidegrees = readNumber(files, `${path}/temp`)
    if (millidegrees === undefined || !isPlausible(millidegrees / 1000)) return []
    return [{ name: files.read(`${path}/type`) ?? '', celsius: millidegrees / 1000 }]
  })
}

/** Temperature of the processor: the hottest zone that is named like one, else the hottest of all; null without zones. */
export function processorTemperature(zones: readonly ThermalZone[]): number | null {
  const ofProcessor = zones.filter(({ name }) => OF_PROCESSOR.test(name))
  const chosen = ofProcessor.length > 0 ? ofProcessor : zones
  return chosen.length > 0 ? Math.max(...chosen.map(({ celsius }) => celsius)) : null
}
