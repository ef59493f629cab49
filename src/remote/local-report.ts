import { statfs } from 'node:fs/promises'
import os from 'node:os'
import type { DeviceReport } from '../contract/device.ts'
import { readNumber } from '../core/telemetry/system-files.ts'
import { memoryBytes } from '../core/telemetry/system-load.ts'
import { findProgram } from '../platform/find-program.ts'
import { rootedFiles } from '../platform/system-files.ts'
import { boardFacts } from './board-facts.ts'
import { proposeTarget, readCpuInfo } from './cpu-facts.ts'
import { localUserName } from './local-user.ts'
import { mountOf } from './mounts.ts'
import { shownText } from './shown-text.ts'

/** Room for models that are served, beside those of the workspace. */
const neededBytes = 50_000_000

/** What this computer is, told like a device; from Node, and from /proc and /sys where they are. */
export async function localReport(root: string): Promise<DeviceReport> {
  const files = rootedFiles('/')
  const linesOf = (path: string) => files.read(path)?.split('\n') ?? []
  const cpuInfo = linesOf('/proc/cpuinfo')
  const cpu = readCpuInfo(cpuInfo.slice(0, Math.max(0, cpuInfo.indexOf('')) || cpuInfo.length))
  const features = cpuInfo.length > 0 ? [...cpu.features] : appleFeatures()
  const maxKhz = readNumber(files, '/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq') ?? 0
  const hasSystemd = files.list('/run/systemd').includes('system')
  const mounts = linesOf('/proc/mounts').map((line) => line.slice(line.indexOf(' ') + 1))
  const home = os.homedir()
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
    board: files.read('/sys/firmware/devicetree/base/model') || null,
    architecture: process.arch,
    longBits: known ? 64 : 32,
    system: prettyName(linesOf('/etc/os-release')) ?? `${os.type()} ${os.release()}`,
    kernel: os.release(),
    glibc,
    cpu: cpuInfo.length > 0 ? cpu.name : (os.cpus()[0]?.model.trim() ?? 'unknown processor'),
    cpuFeatures: features,
    cores: os.availableParallelism(),
    governor: files.read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor') || null,
    maxClockMhz: maxKhz > 0 ? maxKhz / 1000 : null,
    memoryBytes: os.totalmem(),
    availableMemoryBytes: memoryBytes(files.read('/proc/meminfo') ?? '', 'MemAvailable') ?? os.freemem(),
    freeDiskBytes,
    // Windows has no load average; Node answers zeros.
    loadAverage: process.platform === 'win32' ? null : (os.loadavg()[0] ?? null),
    // What takes a tool to find out is left to whoever sits at this computer.
    ...boardFacts({
      files,
      throttled: '',
      firmwareTemperature: '',
      pmic: [],
      compatible: files.read('/sys/firmware/devicetree/base/compatible') ?? '',
      l4tRelease: linesOf('/etc/nv_tegra_release')[0] ?? '',
      packages: [],
      nvpmodel: [],
      trtexec: findProgram('trtexec', process.env.PATH ?? '', ['/usr/src/tensorrt/bin', '/opt/tensorrt/bin']) ?? null,
      cuda: linesOf('/usr/local/cuda/version.json'),
    }),
    jetson: linesOf('/etc/nv_tegra_release')[0] || null,
    hasSystemd,
    tmpNoexec: mountOf(os.tmpdir(), mounts)?.noexec ?? null,
    sudo: null,
    systemdState: null,
    linger: hasSystemd ? files.list('/var/lib/systemd/linger').includes(localUserName()) : null,
    home,
    homeNoexec: mountOf(home, mounts)?.noexec ?? false,
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

function prettyName(release: readonly string[]): string | null {
  const line = release.find((text) => text.startsWith('PRETTY_NAME='))
  return line ? shownText(line.slice('PRETTY_NAME='.length).replaceAll('"', '')) : null
}

async function freeBytes(path: string): Promise<number> {
  const found = await statfs(path).catch(() => statfs(os.homedir()))
  return found.bavail * found.bsize
}
