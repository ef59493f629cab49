import { listPaths, readNumber, type SystemFiles } from './system-files.ts'

/** Files of a Jetson's GPU. */
export interface GpuFiles {
  /** Load in thousandths. */
  readonly load: string
  /** Current clock in Hz. */
  readonly clock: string | null
}

/** `17000000.gpu`, `17000000.ga10b` (Orin), `17000000.gv11b` (Xavier), `17000000.gp10b` (TX2), `57000000.gpu` (Nano). */
const GPU = /^[0-9a-f]+\.(?:gpu|ga10b|gv11b|gp10b)$/
/** Where JetPack 4 and 5 put the load without the devfreq link. */
const LOADS = ['/sys/devices/gpu.0/load', '/sys/devices/platform/gpu.0/load']

/** The GPU's load and clock files; null on boards without such a GPU. */
export function findGpu(files: SystemFiles): GpuFiles | null {
  for (const path of listPaths(files, '/sys/class/devfreq', GPU)) {
    const clock = readNumber(files, `${path}/cur_freq`) === undefined ? null : `${path}/cur_freq`
    const load = [`${path}/device/load`, ...LOADS].find((file) => readNumber(files, file) !== undefined)
    if (load !== undefined) return { load, clock }
  }
  const load = LOADS.find((file) => readNumber(files, file) !== undefined)
  return load === undefined ? null : { load, clock: null }
}

export function readGpu(files: SystemFiles, gpu: GpuFiles | null): { gpuLoad: number | null; gpuClockMhz: number | null } {
  const load = gpu ? readNumber(files, gpu.load) : undefined
  const hertz = gpu?.clock ? readNumber(files, gpu.clock) : undefined
  return {
    gpuLoad: load === undefined || load < 0 ? null : Math.min(1, load / 1000),
    gpuClockMhz: hertz === undefined || hertz < 0 ? null : hertz / 1e6,
  }
}
