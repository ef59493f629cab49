import { execFile } from 'node:child_process'
import { jetPackOf, packageVersion, readL4tRelease } from '../../core/telemetry/l4t-release.ts'
import { listSystemFolder, readSystemFile, type SystemRoot } from '../../platform/system-files.ts'
import { readDeviceTree } from './device-tree.ts'

/** What an engine fits, besides the version of TensorRT. */
export interface GpuMachine {
  /** Board and chip, or the graphics card: `NVIDIA Jetson Orin Nano Developer Kit (tegra234)`. Null where neither can be read. */
  readonly gpu: string | null
  /** Version of the package nvidia-jetpack, else what the release of Jetson Linux stands for: `6.2`, `L4T 36.9.9`. Null on other machines. */
  readonly jetPack: string | null
}

const QUERY_TIMEOUT_MS = 10_000

/** Reads board, chip and JetPack. On a Jetson there is no nvidia-smi; the device tree names the board. */
export async function readGpuMachine(root: SystemRoot): Promise<GpuMachine> {
  return { gpu: jetsonGpu(root) ?? graphicsCard(root) ?? null, jetPack: await jetPackVersion(root) }
}

function jetsonGpu(root: SystemRoot): string | undefined {
  const model = readDeviceTree(root, 'model')
  const chip = /nvidia,(tegra\d+)/.exec(readDeviceTree(root, 'compatible') ?? '')?.[1]
  if (model === undefined || (chip === undefined && !/jetson|tegra|orin|xavier/i.test(model))) return undefined
  return chip === undefined ? model : `${model} (${chip})`
}

/** The driver of graphics cards describes each in a text file. */
function graphicsCard(root: SystemRoot): string | undefined {
  const folder = '/proc/driver/nvidia/gpus'
  const [first] = listSystemFolder(root, folder, /./)
  return first === undefined ? undefined : /^Model:\s*(.+)$/m.exec(readSystemFile(root, `${folder}/${first}/information`) ?? '')?.[1]
}

async function jetPackVersion(root: SystemRoot): Promise<string | null> {
  const l4t = readL4tRelease(readSystemFile(root, '/etc/nv_tegra_release') ?? '')
  if (l4t === null) return null
  return packageVersion(await installedVersion('nvidia-jetpack')) ?? jetPackOf(l4t) ?? `L4T ${l4t}`
}

/** What the package manager says of a package; empty where there is none. */
function installedVersion(name: string): Promise<string> {
  return new Promise((resolve) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
    execFile('dpkg-query', ['-W', '-f', '${Version}', name], { timeout: QUERY_TIMEOUT_MS }, (error, stdout) => resolve(error ? '' : stdout))
  })
}
