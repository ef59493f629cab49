import type { DeviceReport } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { memoryBytes } from '../core/telemetry/system-load.ts'
import { boardFacts } from './board-facts.ts'
import { PrintedFiles } from './board-files-script.ts'
import { proposeTarget, readCpuInfo } from './cpu-facts.ts'
import { checkDevice } from './device-checks.ts'
import { mountOf } from './mounts.ts'
import { shownText } from './shown-text.ts'

/** The probe prints some 300 lines, on a server with many cores five more for each; a device that says much more is not answering our script. */
const mostLines = 5000
const zonesFolder = '/sys/class/thermal/thermal_zone'

/** A name that says nothing, left by makers of x86 boards. */
const meaninglessProduct = /^(to be filled|system product|default string|not applicable|none|unknown|o\.e\.m)/i

/**
 * Reads what `probeScript` printed. Unknown keys are ignored; every value is made safe to show.
 * @param sentAtMs @param receivedAtMs this computer's clock around the round trip, for the difference of the clocks
 * @throws EdgesmithError DEVICE_PROTOCOL when the answer is not whole
 */
export function readProbe(text: string, sentAtMs: number, receivedAtMs: number): DeviceReport {
  const values = new Map<string, string[]>()
  const printed = new PrintedFiles()
  for (const line of text.split('\n', mostLines)) {
    const equals = line.indexOf('=')
    if (equals <= 0) continue
    const key = line.slice(0, equals)
    if (key === 'f') {
      printed.add(line.slice(equals + 1))
      continue
    }
    const list = values.get(key)
    // CPU flags are the longest honest value: 1.5 kB on recent x86.
    const value = shownText(line.slice(equals + 1), key === 'cpuinfo' ? 4000 : 300)
    if (list) list.push(value)
    else values.set(key, [value])
  }
  const all = (key: string) => values.get(key) ?? []
  const one = (key: string) => all(key)[0] || null
  const count = (key: string) => (/^\d{1,15}$/.test(one(key) ?? '') ? Number(one(key)) : null)
  if (one('probe') !== '1' || one('end') !== '1') {
    throw new EdgesmithError('DEVICE_PROTOCOL', 'The answer of the device to the probe is not whole', {
      hint: 'Try again. If it stays, the log-in scripts of the user may end the session.',
      details: { answer: shownText(text, 500) },
    })
  }

  const machine = one('machine') ?? 'unknown'
  const longBits = count('long_bit') ?? (/64/.test(machine) ? 64 : 32)
  const architecture = architectureOf(machine, longBits, one('dpkg_architecture'))
  const libraryOfOurs = (path: string) => longBits !== 64 || !/i386|i686|armhf|gnueabi/.test(path)
  const libc = one('libc') ?? (all('musl').length > 0 ? 'musl' : glibcOfLdd(one('ldd')))
  const disk = /\s\d+\s+\d+\s+(\d{1,15})\s+\d+%/.exec(one('disk') ?? '')
  const freeDiskBytes = disk ? Number(disk[1]) * 1024 : null
  const home = one('home') ?? 'unknown'
  const homeWritable = one('writable') === 'yes' && one('home_missing') === null
  const mounts = all('mount')
  const checks = checkDevice({
    system: one('kernel_name') ?? 'unknown',
    machine,
    architecture,
    longBits,
    libc,
    libstdcxx: all('libstdcxx').filter(libraryOfOurs),
    libgcc: all('libgcc').filter(libraryOfOurs),
    hasTar: one('tar') === 'yes',
    homeWritable,
    homeExecutable: one('executable') === 'yes',
    homeMount: mountOf(one('home_real') ?? home, mounts)?.point ?? null,
    freeDiskBytes,
    installedBytes: Number(/^(\d{1,12})/.exec(one('installed') ?? '')?.[1] ?? 0) * 1024,
  })
  const cpu = readCpuInfo(all('cpuinfo'))
  const maxKhz = count('max_khz')
  keepOlderForms(printed, all('thermal'), all('meminfo'))
  const meminfo = printed.files.read('/proc/meminfo') ?? ''
  const product = one('product')
  const fits = checks.every((check) => check.ok)
  const now = count('now')
  return {
    machine,
    board: one('board') ?? (product && !meaninglessProduct.test(product) ? product : null),
    architecture,
    longBits,
    system: one('system') ?? one('kernel_name') ?? 'unknown',
    kernel: one('kernel') ?? 'unknown',
    glibc: libc?.startsWith('glibc ') ? libc.slice('glibc '.length) : null,
    cpu: cpu.name,
    cpuFeatures: [...cpu.features],
    cores: count('cores') ?? 1,
    governor: one('governor'),
    maxClockMhz: maxKhz === null ? null : maxKhz / 1000,
    memoryBytes: memoryBytes(meminfo, 'MemTotal') ?? 0,
    availableMemoryBytes: memoryBytes(meminfo, 'MemAvailable') ?? 0,
    freeDiskBytes: freeDiskBytes ?? 0,
    loadAverage: leadingNumber(one('loadavg')),
    ...boardFacts({
      files: printed.files,
      throttled: one('throttled') ?? '',
      firmwareTemperature: one('firmware_temp') ?? '',
      pmic: all('pmic'),
      compatible: one('compatible') ?? '',
      l4tRelease: one('jetson') ?? '',
      packages: all('package'),
      nvpmodel: all('nvpmodel'),
      trtexec: one('trtexec'),
      cuda: all('cuda'),
    }),
    jetson: one('jetson'),
    hasSystemd: one('systemd') === 'yes',
    tmpNoexec: mountOf('/tmp', mounts)?.noexec ?? null,
    sudo: sudoWords[one('sudo') ?? ''] ?? null,
    systemdState: one('systemd_state'),
    linger: one('linger') === null ? null : one('linger') === 'yes',
    home,
    homeNoexec: homeWritable && one('executable') !== 'yes',
    // The device answered somewhere between sending and receiving; its clock shows whole seconds.
    clockSkewSeconds: now === null ? 0 : Math.round(now + 0.5 - (sentAtMs + receivedAtMs) / 2000) + 0,
    target: fits ? proposeTarget(architecture, cpu.features) : null,
    checks,
    fits,
    probedAt: new Date(receivedAtMs).toISOString(),
  }
}

const sudoWords: Readonly<Record<string, NonNullable<DeviceReport['sudo']>>> = {
  without_password: 'without password',
  with_password: 'with password',
  none: 'none',
}

/** Earlier versions of the script printed zones and memory in lines of their own. */
function keepOlderForms(printed: PrintedFiles, zones: readonly string[], meminfo: readonly string[]): void {
  for (const [index, zone] of zones.entries()) {
    const space = zone.lastIndexOf(' ')
    printed.add(`${zonesFolder}${index}/type ${zone.slice(0, space)}`)
    printed.add(`${zonesFolder}${index}/temp ${zone.slice(space + 1)}`)
  }
  for (const line of meminfo) printed.add(`/proc/meminfo ${line}`)
}

/** What programs on the device are made for: a 64-bit kernel may carry a 32-bit system. */
function architectureOf(machine: string, longBits: number, dpkg: string | null): string {
  if (dpkg === 'arm64' || dpkg === 'amd64') return dpkg === 'arm64' ? 'arm64' : 'x64'
  if (dpkg === 'armhf' || dpkg === 'armel') return 'arm'
  if (dpkg === 'i386') return 'ia32'
  if (/^(aarch64|arm64)$/.test(machine)) return longBits === 64 ? 'arm64' : 'arm'
  if (/^(x86_64|amd64)$/.test(machine)) return longBits === 64 ? 'x64' : 'ia32'
  if (/^arm/.test(machine)) return 'arm'
  if (/^i[3-6]86$/.test(machine)) return 'ia32'
  return machine
}

/** `ldd (Debian GLIBC 2.36-9) 2.36`: the version at the end. */
function glibcOfLdd(line: string | null): string | null {
  if (line === null) return null
  if (/musl/i.test(line)) return 'musl'
  const found = /(?:GLIBC|GNU libc).*?(\d{1,2}\.\d{1,3})$/i.exec(line)
  return found ? `glibc ${found[1]}` : null
}

function leadingNumber(text: string | null): number | null {
  const found = /^\d{1,6}(?:\.\d{1,3})?/.exec(text ?? '')
  return found ? Number(found[0]) : null
}
