import { type BoardPower, boardPower, type PowerRail } from './power-rails.ts'
import { listPaths, readNumber, type SystemFiles } from './system-files.ts'

/** One rail and the files that tell its power. */
export interface RailSensor {
  readonly name: string
  /** Chip that measures, in capitals. */
  readonly chip: string
  /** Microwatts, or milliwatts, or millivolts and milliamperes. */
  readonly files:
    | { readonly unit: 'uW' | 'mW'; readonly power: string }
    | { readonly unit: 'mV mA'; readonly voltage: string; readonly current: string }
  /** The only power reading of a chip that somebody wired into one supply. */
  readonly alone: boolean
}

/** Monitors of supplies. Other hwmon devices also have power readings: of a graphics card, of a battery. */
const MONITOR = /^(?:ina|pac19|ltc294|max344|isl28022|sq52206)/
const MOST_RAILS = 32

/**
 * Rails that can be read without root: INA3221 through hwmon (JetPack 5 and later, kernel `Documentation/hwmon/ina3221.rst`) and through
 * iio (JetPack 4, `rail_name_N`, `in_powerN_input`), and single monitors such as INA219 and INA238 through hwmon (`power1_input`).
 */
export function findRailSensors(files: SystemFiles): RailSensor[] {
  const sensors: RailSensor[] = []
  const seen = new Set<string>()
  const i2cDevices = listPaths(files, '/sys/bus/i2c/devices', /^\d+-[0-9a-f]{4}$/)
  for (const folder of [
    ...i2cDevices.flatMap((device) => listPaths(files, `${device}/hwmon`, /^hwmon\d+$/)),
    ...listPaths(files, '/sys/class/hwmon', /^hwmon\d+$/),
  ]) {
    const name = folder.slice(folder.lastIndexOf('/') + 1)
    if (!seen.has(name)) sensors.push(...hwmonSensors(files, folder))
    seen.add(name)
  }
  for (const device of i2cDevices) {
    // The same sensor may have two names there.
    const folder = listPaths(files, device, /^iio(?::device\d+|_device)$/)[0]
    if (folder !== undefined) sensors.push(...iioSensors(files, folder))
  }
  return sensors.slice(0, MOST_RAILS)
}

/** What the rails carry right now. */
export function readRails(files: SystemFiles, sensors: readonly RailSensor[]): PowerRail[] {
  return sensors.map((sensor) => ({ name: sensor.name, watts: wattsOf(files, sensor) }))
}

/** Power of the whole board; null where no sensor measures it, see {@link boardPower}. */
export function readBoardPower(files: SystemFiles, sensors: readonly RailSensor[]): BoardPower | null {
  const rails = readRails(files, sensors)
  const whole = boardPower(rails, sensors[0]?.chip ?? '')
  if (whole) return whole
  const alone = sensors.flatMap((sensor, index) => (sensor.alone ? [{ sensor, watts: rails[index]?.watts ?? null }] : []))
  const [only] = alone
  if (alone.length !== 1 || only === undefined || only.watts === null) return null
  const { chip, name } = only.sensor
  return { watts: only.watts, source: name === chip ? chip : `${chip} ${name}`, estimated: false }
}

function hwmonSensors(files: SystemFiles, folder: string): RailSensor[] {
  const chipName = files.read(`${folder}/name`) ?? ''
  if (!MONITOR.test(chipName)) return []
  const chip = chipName.slice(0, 20).toUpperCase()
  const names = files.list(folder)
  const has = (name: string) => names.includes(name)
  const powers = names.flatMap((name) => /^power(\d{1,2})_input$/.exec(name)?.[1] ?? [])
  if (powers.length > 0) {
    return powers.map((channel) => ({
      name: label(files, `${folder}/power${channel}_label`) ?? label(files, `${folder}/in${channel}_label`) ?? chip,
      chip,
      files: { unit: 'uW' as const, power: `${folder}/power${channel}_input` },
      alone: powers.length === 1,
    }))
  }
  return names.flatMap((name) => {
    const channel = /^in(\d{1,2})_label$/.exec(name)?.[1]
    if (channel === undefined || !has(`in${channel}_input`) || !has(`curr${channel}_input`)) return []
    const rail = label(files, `${folder}/${name}`)
    // Channels that lead nowhere, and the driver's own sum of shunt voltages.
    if (rail === undefined || rail === 'NC' || rail.startsWith('sum of')) return []
    const source = { unit: 'mV mA' as const, voltage: `${folder}/in${channel}_input`, current: `${folder}/curr${channel}_input` }
    return [{ name: rail, chip, files: source, alone: false }]
  })
}

function iioSensors(files: SystemFiles, folder: string): RailSensor[] {
  return files.list(folder).flatMap((name) => {
    const channel = /^rail_name_(\d{1,2})$/.exec(name)?.[1]
    const rail = channel === undefined ? undefined : label(files, `${folder}/${name}`)
    if (rail === undefined || rail === 'NC') return []
    return [{ name: rail, chip: 'INA3221', files: { unit: 'mW' as const, power: `${folder}/in_power${channel}_input` }, alone: false }]
  })
}

function wattsOf(files: SystemFiles, sensor: RailSensor): number | null {
  const { files: source } = sensor
  if (source.unit === 'mV mA') {
    const millivolts = readNumber(files, source.voltage)
    const milliamperes = readNumber(files, source.current)
    return millivolts === undefined || milliamperes === undefined ? null : (millivolts * milliamperes) / 1e6
  }
  const power = readNumber(files, source.power)
  return power === undefined ? null : power / (source.unit === 'uW' ? 1e6 : 1e3)
}

function label(files: SystemFiles, path: string): string | undefined {
  return files.read(path)?.slice(0, 60) || undefined
}
