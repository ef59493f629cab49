import { readdir, readFile, statfs } from 'node:fs/promises'
import os from 'node:os'
import type { DeviceReport } from '../contract/device.ts'
import { proposeTarget, readCpuInfo, readMemInfo, readTemperature } from './cpu-facts.ts'
import { shownText } from './shown-text.ts'

/** Room for models that are served, beside those of the workspace. */
const neededBytes = 50_000_000

/** What this computer is, told like a device; from Node, and from /proc and /sys where they are. */
export async function localReport(root: string): Promise<DeviceReport> {
  const cpuInfo = await readLines('/proc/cpuinfo')
  const memInfo = await readLines('/proc/meminfo')
  const cpu = readCpuInfo(cpuInfo.slice(0, Math.max(0, cpuInfo.indexOf('')) || cpuInfo.length))
  const features = cpuInfo.length > 0 ? [...cpu.features] : appleFeatures()
  const maxKhz = Number((await readLines('/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq'))[0])
  const freeDiskBytes = await freeBytes(root)
  const glibc = glibcVersion()
  const known = process.arch === 'x64' || process.arch === 'arm64'
  const checks = [
    { name: 'processor', ok: known, found: process.arch, needed: '64-bit x86 or ARM', code: known ? null : 'DEVICE_UNSUPPORTED' },
    {
      name: 'disk',
      ok: freeDiskBytes >= neededBytes,
      found: `${Math.round(freeDiskBytes / 1e6)} MB free`,
      needed: `${neededBytes / 1e6} MB`,
      code: freeDiskBytes >= neededBytes ? null : 'DEVICE_NO_SPACE',
    },
  ]
  return {
    machine: os.machine(),
    board: null,
    architecture: process.arch,
    longBits: known ? 64 : 32,
    system: (await prettyName()) ?? `${os.type()} ${os.release()}`,
    kernel: os.release(),
    glibc,
    cpu: cpuInfo.length > 0 ? cpu.name : (os.cpus()[0]?.model.trim() ?? 'unknown processor'),
    cpuFeatures: features,
    cores: os.availableParallelism(),
    governor: (await readLines('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'))[0] || null,
    maxClockMhz: Number.isFinite(maxKhz) && maxKhz > 0 ? maxKhz / 1000 : null,
    memoryBytes: os.totalmem(),
    availableMemoryBytes: readMemInfo(memInfo, 'MemAvailable') ?? os.freemem(),
    freeDiskBytes,
    // Windows has no load average; Node answers zeros.
    loadAverage: process.platform === 'win32' ? null : (os.loadavg()[0] ?? null),
    temperatureC: readTemperature(await thermalZones()),
    throttled: null,
    jetson: (await readLines('/etc/nv_tegra_release'))[0] || null,
    hasSystemd: (await readdir('/run/systemd/system').catch(() => null)) !== null,
    home: os.homedir(),
    homeNoexec: false,
    clockSkewSeconds: 0,
    target: proposeTarget(process.arch, features),
    checks,
    fits: checks.every(({ ok }) => ok),
    probedAt: new Date().toISOString(),
  }
}

/** All Macs with Apple processors have these; there is no /proc to read them from. */
function appleFeatures(): string[] {
  return process.platform === 'darwin' && process.arch === 'arm64' ? ['asimd', 'asimddp', 'asimdhp', 'fphp'] : []
}

function glibcVersion(): string | null {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: unknown } }
  return typeof header?.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : null
}

async function prettyName(): Promise<string | null> {
  const line = (await readLines('/etc/os-release')).find((text) => text.startsWith('PRETTY_NAME='))
  return line ? shownText(line.slice('PRETTY_NAME='.length).replaceAll('"', '')) : null
}

async function thermalZones(): Promise<string[]> {
  const folder = '/sys/class/thermal'
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('thermal_zone'))
  return Promise.all(
    names.map(
      async (name) => `${(await readLines(`${folder}/${name}/type`))[0] ?? ''} ${(await readLines(`${folder}/${name}/temp`))[0] ?? ''}`,
    ),
  )
}

async function freeBytes(path: string): Promise<number> {
  const found = await statfs(path).catch(() => statfs(os.homedir()))
  return found.bavail * found.bsize
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text === '' ? [] : text.split('\n')
}
