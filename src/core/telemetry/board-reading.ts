import { activeCooling, findCoolingDevices } from './cooling-devices.ts'
import { findPolicies, readClocks } from './cpu-clocks.ts'
import { findGpu, type GpuFiles, readGpu } from './gpu-load.ts'
import { type BoardPower, boardPower } from './power-rails.ts'
import { findRailSensors, type RailSensor, readBoardPower } from './rail-sensors.ts'
import type { SystemFiles } from './system-files.ts'
import { type CpuTicks, cpuLoad, readCpuTicks, usedMemoryBytes } from './system-load.ts'
import type { TegrastatsLine } from './tegrastats.ts'
import { processorTemperature, readThermalZones } from './thermal-zones.ts'
import { firmwareWords } from './vcgencmd.ts'

/** What a board can tell without root; looked up once. */
export interface BoardSensors {
  readonly policies: readonly string[]
  readonly cooling: ReturnType<typeof findCoolingDevices>
  readonly gpu: GpuFiles | null
  readonly rails: readonly RailSensor[]
}

/** What is not in files: answers of tools, the newest of each. Null: not asked, or no answer. */
export interface ToolAnswers {
  /** Raspberry Pi: bits of `vcgencmd get_throttled`. */
  readonly firmwareBits: number | null
  /** Raspberry Pi 5: from `vcgencmd pmic_read_adc`. */
  readonly pmicPower: BoardPower | null
  readonly tegrastats: TegrastatsLine | null
}

export const NO_TOOLS: ToolAnswers = { firmwareBits: null, pmicPower: null, tegrastats: null }

/** How a board is at one moment; fields as `telemetryReadingSchema` of the contract describes them. */
export interface BoardReading {
  readonly temperatureC: number | null
  readonly clockMhz: number | null
  readonly allowedClock: number | null
  readonly cpuLoad: number | null
  readonly memoryUsedBytes: number | null
  readonly powerW: number | null
  readonly gpuLoad: number | null
  readonly gpuClockMhz: number | null
  readonly throttled: string[]
}

/** As many words as a reading may hold. */
const MOST_WORDS = 8

export function findBoardSensors(files: SystemFiles): BoardSensors {
  return { policies: findPolicies(files), cooling: findCoolingDevices(files), gpu: findGpu(files), rails: findRailSensors(files) }
}

/**
 * One reading. Files come first, tools fill what they leave open.
 * @param before ticks of the reading before, for the load since then
 */
export function readBoard(
  files: SystemFiles,
  sensors: BoardSensors,
  before: CpuTicks | null,
  tools: ToolAnswers,
): { reading: BoardReading; ticks: CpuTicks | null; power: BoardPower | null } {
  const { tegrastats, firmwareBits } = tools
  const ticks = readCpuTicks(files)
  const power = readBoardPower(files, sensors.rails) ?? tools.pmicPower ?? (tegrastats && boardPower(tegrastats.rails, 'tegrastats'))
  const gpu = readGpu(files, sensors.gpu)
  const words = [...activeCooling(files, sensors.cooling), ...(firmwareBits === null ? [] : firmwareWords(firmwareBits))]
  const reading = {
    temperatureC: processorTemperature(readThermalZones(files)) ?? (tegrastats && processorTemperature(tegrastats.temperatures)),
    ...readClocks(files, sensors.policies),
    cpuLoad: cpuLoad(before, ticks),
    memoryUsedBytes: usedMemoryBytes(files),
    powerW: power?.watts ?? null,
    gpuLoad: gpu.gpuLoad ?? tegrastats?.gpu?.load ?? null,
    gpuClockMhz: gpu.gpuClockMhz ?? tegrastats?.gpu?.mhz ?? null,
    throttled: words.slice(0, MOST_WORDS),
  }
  return { reading, ticks, power }
}
