import type { DeviceReport } from '../contract/device.ts'
import { findPolicies, readClusters } from '../core/telemetry/cpu-clocks.ts'
import { jetPackOf, packageVersion, readL4tRelease } from '../core/telemetry/l4t-release.ts'
import { readPowerMode } from '../core/telemetry/nvpmodel.ts'
import { readPmicRails } from '../core/telemetry/pmic-power.ts'
import { findRailSensors, readRails } from '../core/telemetry/rail-sensors.ts'
import type { SystemFiles } from '../core/telemetry/system-files.ts'
import { memoryBytes } from '../core/telemetry/system-load.ts'
import { processorTemperature, readThermalZones } from '../core/telemetry/thermal-zones.ts'
import { readFirmwareValue, readThrottled } from '../core/telemetry/vcgencmd.ts'
import { shownText } from './shown-text.ts'

/** What files and tools of a board said, each tool's lines in order. */
export interface BoardAnswers {
  readonly files: SystemFiles
  /** `vcgencmd get_throttled`, `measure_temp`, `pmic_read_adc`. */
  readonly throttled: string
  readonly firmwareTemperature: string
  readonly pmic: readonly string[]
  /** `compatible` of the device tree, separated by spaces or NUL. */
  readonly compatible: string
  /** First line of /etc/nv_tegra_release. */
  readonly l4tRelease: string
  /** Status, name and version of packages as dpkg-query prints them. */
  readonly packages: readonly string[]
  readonly nvpmodel: readonly string[]
  readonly trtexec: string | null
  /** version.json or version.txt of CUDA. */
  readonly cuda: readonly string[]
}

/** Fields of a report on the board itself; shared by devices and this computer. */
type BoardFacts = Pick<
  DeviceReport,
  | 'soc'
  | 'clusters'
  | 'thermalZones'
  | 'temperatureC'
  | 'throttled'
  | 'swapBytes'
  | 'jetPack'
  | 'l4t'
  | 'powerMode'
  | 'tensorRt'
  | 'trtexec'
  | 'cuda'
  | 'powerRails'
>

const MOST_CLUSTERS = 64
const MOST_ZONES = 64

/** A board in the words of its report. Everything from the board is made safe to show. */
export function boardFacts(answers: BoardAnswers): BoardFacts {
  const { files } = answers
  const zones = readThermalZones(files).slice(0, MOST_ZONES)
  const l4t = packageOf(answers.packages, /^nvidia-l4t-core$/) ?? readL4tRelease(answers.l4tRelease)
  const powerMode = readPowerMode(answers.nvpmodel.join('\n'))
  const rails = readRails(files, findRailSensors(files))
  return {
    soc: socOf(answers.compatible),
    clusters: readClusters(files, findPolicies(files).slice(0, MOST_CLUSTERS)).map((cluster) => ({
      ...cluster,
      governor: cluster.governor === null ? null : shownText(cluster.governor),
    })),
    thermalZones: zones.map(({ name, celsius }) => ({ name: shownText(name, 60), celsius })),
    temperatureC: processorTemperature(zones) ?? readFirmwareValue(answers.firmwareTemperature)?.value ?? null,
    throttled: readThrottled(answers.throttled),
    swapBytes: memoryBytes(files.read('/proc/meminfo') ?? '', 'SwapTotal'),
    jetPack: packageOf(answers.packages, /^nvidia-jetpack$/) ?? (l4t === null ? null : jetPackOf(l4t)),
    l4t,
    powerMode: powerMode && { name: shownText(powerMode.name, 60), id: powerMode.id },
    tensorRt: packageOf(answers.packages, /^tensorrt$/) ?? packageOf(answers.packages, /^libnvinfer\d+$/),
    trtexec: answers.trtexec === null ? null : shownText(answers.trtexec),
    cuda: cudaVersion(answers.cuda.join('\n')),
    powerRails: (rails.length > 0 ? rails : readPmicRails(answers.pmic.join('\n'))).map(({ name, watts }) => ({
      name: shownText(name, 60),
      watts,
    })),
  }
}

/** `raspberrypi,5-model-b brcm,bcm2712` → `bcm2712`: the last entry is the most general one. */
function socOf(compatible: string): string | null {
  const last = compatible.split(/[\0\s]+/).findLast((entry) => entry !== '')
  return last ? shownText(last.slice(last.indexOf(',') + 1), 60) || null : null
}

/** Version of the first installed package of that name in lines `install ok installed NAME VERSION`. */
function packageOf(lines: readonly string[], name: RegExp): string | null {
  for (const line of lines) {
    const found = /^\w+ \w+ installed (\S+) (\S+)$/.exec(line)
    if (found && name.test(found[1] as string)) return packageVersion(found[2] as string)
  }
  return null
}

/** version.json: `"cuda" : { "name" : "CUDA SDK", "version" : "12.6.11" }` on several lines; version.txt of older ones: `CUDA Version 10.2.300`. */
function cudaVersion(text: string): string | null {
  const short = text.slice(0, 10_000)
  const found =
    /"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"(\d{1,3}(?:\.\d{1,4}){1,3})"/.exec(short) ??
    /CUDA Version (\d{1,3}(?:\.\d{1,4}){1,3})/.exec(short)
  return found?.[1] ?? null
}
