import type { DeviceReport } from '../contract/device.ts'
import { EdgesmithError, type ErrorCode, errorCatalogue } from '../contract/errors.ts'

type DeviceCheck = DeviceReport['checks'][number]

/** What decides whether the agent can run on a device. Null: could not be found out, which is left to the self-test. */
export interface DeviceFacts {
  readonly system: string
  readonly machine: string
  /** `x64`, `arm64`, `arm`, `ia32`, or what `uname -m` says. */
  readonly architecture: string
  readonly longBits: number
  /** `glibc 2.36`, `musl`. */
  readonly libc: string | null
  /** Real paths of libstdc++.so.6, paths of libgcc_s.so.1. */
  readonly libstdcxx: readonly string[]
  readonly libgcc: readonly string[]
  readonly hasTar: boolean
  readonly homeWritable: boolean
  readonly homeExecutable: boolean
  /** Where the file system of the home directory is mounted. */
  readonly homeMount: string | null
  readonly freeDiskBytes: number | null
  /** Bytes Edgesmith already takes there. */
  readonly installedBytes: number
}

/** Node 22 and ONNX Runtime 1.30 for Linux are linked against this one (Debian 10, Raspberry Pi OS "bullseye", JetPack 5). */
const neededGlibc = [2, 28] as const
/** libstdc++.so.6.0.22 is the one that brought GLIBCXX_3.4.22, which ONNX Runtime needs (GCC 6). */
const neededLibstdcxx = 22
/** The agent unpacked (x64: 171 MB), its compressed copy while it is being unpacked (60 MB), and room for models. */
export const neededDiskBytes = 350_000_000

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`

/** Every check in the order a person would want to hear of a failure: the most fundamental one first. */
export function checkDevice(facts: DeviceFacts): DeviceCheck[] {
  const checks: DeviceCheck[] = []
  const check = (name: string, ok: boolean, found: string, needed: string, code: ErrorCode) =>
    checks.push({ name, ok, found, needed, code: ok ? null : code })

  check('operating system', facts.system === 'Linux', facts.system, 'Linux', 'DEVICE_UNSUPPORTED')
  const knownMachine = /^(x86_64|amd64|aarch64|arm64)$/.test(facts.machine)
  check('processor', knownMachine, facts.machine, '64-bit x86 or ARM', 'DEVICE_UNSUPPORTED')
  const fitsUserland = facts.longBits === 64 && /^(x64|arm64)$/.test(facts.architecture)
  check('user land', fitsUserland, `${facts.longBits}-bit (${facts.architecture})`, '64-bit', 'DEVICE_UNSUPPORTED')
  check('C library', isNewGlibc(facts.libc), facts.libc ?? 'unknown', `glibc ${neededGlibc.join('.')}`, libcCode(facts.libc))
  const libstdcxx = newestLibstdcxx(facts.libstdcxx)
  const cxxOk = facts.libstdcxx.length > 0 && (libstdcxx === null || libstdcxx >= neededLibstdcxx)
  const cxxFound = facts.libstdcxx.length === 0 ? 'none' : libstdcxx === null ? 'of unknown version' : `GLIBCXX_3.4.${libstdcxx}`
  check('libstdc++', cxxOk, cxxFound, `GLIBCXX_3.4.${neededLibstdcxx}`, 'DEVICE_LIBRARY_MISSING')
  check('libgcc', facts.libgcc.length > 0, facts.libgcc[0] ?? 'none', 'libgcc_s.so.1', 'DEVICE_LIBRARY_MISSING')
  check('tar', facts.hasTar, facts.hasTar ? 'there' : 'none', 'tar', 'DEVICE_UNSUPPORTED')
  check('home directory', facts.homeWritable, facts.homeWritable ? 'writable' : 'not writable', 'writable', 'FILE_NOT_WRITABLE')
  // Where nothing can be written nothing could be run either: one cause, one failure.
  const runs = facts.homeExecutable || !facts.homeWritable
  const noexec = facts.homeMount === null ? 'may not run (noexec)' : `may not run (${facts.homeMount} is mounted noexec)`
  check('programs in home', runs, runs ? 'may run' : noexec, 'may run', 'DEVICE_NOEXEC')
  const disk = facts.freeDiskBytes === null ? null : facts.freeDiskBytes + facts.installedBytes
  const diskFound = facts.freeDiskBytes === null ? 'unknown' : `${megabytes(facts.freeDiskBytes)} free`
  check('disk', disk === null || disk >= neededDiskBytes, diskFound, megabytes(neededDiskBytes), 'DEVICE_NO_SPACE')
  return checks
}

const hints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'operating system': { DEVICE_UNSUPPORTED: 'Edgesmith runs on Linux boards.' },
  processor: { DEVICE_UNSUPPORTED: 'A board with a 64-bit processor is needed: Raspberry Pi 3 or newer, Jetson, x86-64.' },
  'user land': {
    DEVICE_UNSUPPORTED: 'The processor may well be 64-bit: install the 64-bit edition of the system (Raspberry Pi OS 64-bit).',
  },
  'C library': {
    DEVICE_UNSUPPORTED: 'Systems with musl (Alpine) cannot run the agent. Use one with glibc: Debian, Ubuntu, Raspberry Pi OS.',
    DEVICE_GLIBC_TOO_OLD: 'Upgrade the system: Debian 10, Raspberry Pi OS "bullseye", Ubuntu 20.04 or JetPack 5 or newer.',
  },
  'libstdc++': { DEVICE_LIBRARY_MISSING: 'On the device: sudo apt-get install libstdc++6' },
  libgcc: { DEVICE_LIBRARY_MISSING: 'On the device: sudo apt-get install libgcc-s1' },
  tar: { DEVICE_UNSUPPORTED: 'On the device: sudo apt-get install tar' },
  'home directory': {
    FILE_NOT_WRITABLE: 'Is the file system of the device mounted read-only, or does the home directory belong to somebody else?',
  },
  'programs in home': {
    DEVICE_NOEXEC:
      'The file system of the home directory is mounted noexec. Mount it with exec (on the device: sudo mount -o remount,exec /home, or the mount that is named).',
  },
  disk: { DEVICE_NO_SPACE: 'Free some space on the device, for example: sudo apt-get clean' },
}

/** The error for a device that does not fit: its first failing check. Null when it fits. */
export function refusalOf(report: DeviceReport, device: string): EdgesmithError | null {
  const failed = report.checks.find((check) => !check.ok)
  if (!failed) return null
  const code = failed.code !== null && Object.hasOwn(errorCatalogue, failed.code) ? (failed.code as ErrorCode) : 'DEVICE_UNSUPPORTED'
  return new EdgesmithError(code, `${device} does not fit: ${failed.name}: ${failed.found}, needed: ${failed.needed}`, {
    hint: hints[failed.name]?.[code],
    details: { check: failed.name, found: failed.found, needed: failed.needed },
  })
}

function isNewGlibc(libc: string | null): boolean {
  if (libc === null) return true
  const found = /^glibc (\d{1,3})\.(\d{1,3})/.exec(libc)
  if (!found) return false
  const [major, minor] = [Number(found[1]), Number(found[2])]
  return major > neededGlibc[0] || (major === neededGlibc[0] && minor >= neededGlibc[1])
}

function libcCode(libc: string | null): ErrorCode {
  return libc?.startsWith('glibc') ? 'DEVICE_GLIBC_TOO_OLD' : 'DEVICE_UNSUPPORTED'
}

/** N of the newest libstdc++.so.6.0.N; null when no real name tells it. */
function newestLibstdcxx(paths: readonly string[]): number | null {
  const versions = paths.flatMap((path) => {
    const found = /libstdc\+\+\.so\.6\.0\.(\d{1,4})$/.exec(path)
    return found ? [Number(found[1])] : []
  })
  return versions.length > 0 ? Math.max(...versions) : null
}
