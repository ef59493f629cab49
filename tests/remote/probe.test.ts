import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DeviceReport, deviceReportSchema } from '../../src/contract/device.ts'
import { refusalOf } from '../../src/remote/device-checks.ts'
import { localReport } from '../../src/remote/local-report.ts'
import { readProbe } from '../../src/remote/probe-report.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { startHarnessedDevice } from './device-harness.ts'
import { recordingReporter } from './stand-in-agent.ts'

const folder = join(import.meta.dirname, 'fixtures', 'probe')
const answer = (name: string) => readFileSync(join(folder, `${name}.txt`), 'utf8')
const sentAtMs = 1_795_246_000_000

function read(name: string, change: (text: string) => string = (text) => text): DeviceReport {
  return readProbe(change(answer(name)), sentAtMs, sentAtMs + 1000)
}

function failing(report: DeviceReport) {
  return report.checks.filter(({ ok }) => !ok).map(({ name, code }) => [name, code])
}

describe('what boards answer', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('is of the documented form: %s', (name) => {
    expect(deviceReportSchema.parse(read(name.replace('.txt', '')))).toBeTruthy()
  })

  it('tells a Raspberry Pi 5', () => {
    const report = read('raspberry-pi-5')
    expect(report).toMatchObject({
      board: 'Raspberry Pi 5 Model B Rev 1.0',
      machine: 'aarch64',
      architecture: 'arm64',
      longBits: 64,
      glibc: '2.36',
      cpu: 'Cortex-A76',
      cores: 4,
      governor: 'ondemand',
      maxClockMhz: 2400,
      memoryBytes: 8_255_168 * 1024,
      freeDiskBytes: 53_108_656 * 1024,
      loadAverage: 0.08,
      temperatureC: 48.2,
      throttled: 0x50000,
      jetson: null,
      hasSystemd: true,
      home: '/home/pi',
      homeNoexec: false,
      clockSkewSeconds: 0,
      target: 'arm64-dotprod',
      fits: true,
    })
    expect(report.cpuFeatures).toEqual(['asimd', 'atomics', 'fphp', 'asimdhp', 'asimddp'])
    expect(refusalOf(report, 'pi')).toBeNull()
  })

  it('tells Jetsons with JetPack 5 and 6', () => {
    for (const [name, temperatureC, release] of [
      ['jetson-orin-jetpack-5', 47.312, 'R35'],
      ['jetson-orin-jetpack-6', 49.312, 'R36'],
    ] as const) {
      const report = read(name)
      expect(report).toMatchObject({ cpu: 'Cortex-A78AE', target: 'arm64-dotprod', fits: true, temperatureC })
      expect(report.jetson).toContain(release)
    }
  })

  it('tells what a Raspberry Pi 4 has beyond that', () => {
    expect(read('raspberry-pi-4')).toMatchObject({
      soc: 'bcm2711',
      target: 'arm64',
      clusters: [{ cores: '0-3', governor: 'ondemand', currentMhz: 600, allowedMhz: 1800, maxMhz: 1800 }],
      thermalZones: [{ name: 'cpu-thermal', celsius: 52.582 }],
      temperatureC: 52.582,
      memoryBytes: 3885396 * 1024,
      availableMemoryBytes: 3400120 * 1024,
      swapBytes: 204796 * 1024,
      throttled: 0,
      powerRails: [],
      powerMode: null,
      jetPack: null,
      tmpNoexec: true,
      sudo: 'without password',
      systemdState: 'running',
      linger: false,
    })
  })

  it('tells a hot Raspberry Pi 5 with its rails', () => {
    const report = read('raspberry-pi-5-throttled')
    expect(report).toMatchObject({ throttled: 0xe000e, temperatureC: 84.35, tmpNoexec: false, sudo: 'with password', linger: true })
    expect(report.clusters[0]).toMatchObject({ allowedMhz: 1500, maxMhz: 2400 })
    expect(report.powerRails).toHaveLength(12)
    expect(report.powerRails.find(({ name }) => name === 'VDD_CORE')?.watts).toBeCloseTo(5.03652 * 0.8936988, 6)
  })

  it('tells JetPack, power mode, TensorRT, CUDA and rails of Jetsons', () => {
    expect(read('jetson-orin-nano-jetpack-6')).toMatchObject({
      soc: 'tegra234',
      l4t: '36.4.3',
      jetPack: '6.2',
      powerMode: { name: '25W', id: 1 },
      tensorRt: '10.3.0.30',
      trtexec: '/usr/src/tensorrt/bin/trtexec',
      cuda: '12.6.11',
      powerRails: [
        { name: 'VDD_IN', watts: (4968 * 1057) / 1e6 },
        { name: 'VDD_CPU_GPU_CV', watts: (4968 * 103) / 1e6 },
        { name: 'VDD_SOC', watts: (4968 * 547) / 1e6 },
      ],
      clusters: [
        { cores: '0-3', currentMhz: 729.6 },
        { cores: '4-5', currentMhz: 1497.6 },
      ],
      tmpNoexec: false,
    })
    // A package that was removed does not count; the release tells its JetPack.
    expect(read('jetson-agx-orin-jetpack-5')).toMatchObject({
      l4t: '35.4.1',
      jetPack: '5.1.2',
      tensorRt: '8.5.2',
      trtexec: null,
      cuda: null,
    })
    expect(read('jetson-agx-orin-jetpack-5').powerRails.map(({ name }) => name)).toEqual([
      'VDD_GPU_SOC',
      'VDD_CPU_CV',
      'VIN_SYS_5V0',
      'VDDQ_VDD2_1V8AO',
    ])
    expect(read('jetson-nano-jetpack-4-rails')).toMatchObject({
      fits: false,
      jetPack: '4.6.6',
      powerMode: { name: 'MAXN', id: 0 },
      cuda: '10.2.300',
      powerRails: [
        { name: 'POM_5V_IN', watts: 1.388 },
        { name: 'POM_5V_GPU', watts: 0.122 },
        { name: 'POM_5V_CPU', watts: 0.204 },
      ],
      temperatureC: 33.5,
    })
  })

  it('leaves open what an earlier version of the script did not ask', () => {
    expect(read('raspberry-pi-5')).toMatchObject({
      soc: null,
      clusters: [],
      sudo: null,
      linger: null,
      tmpNoexec: null,
      jetPack: null,
      powerRails: [],
    })
    expect(read('jetson-orin-jetpack-6')).toMatchObject({ l4t: '36.4.3', jetPack: '6.2', tensorRt: null })
  })

  it('tells a plain PC', () => {
    expect(read('debian-x86')).toMatchObject({
      architecture: 'x64',
      target: 'x64',
      fits: true,
      board: null,
      throttled: null,
      temperatureC: null,
    })
    const vnni = read('debian-x86', (text) => text.replace('avx2 ', 'avx2 avx512f avx512_vnni '))
    expect(vnni.target).toBe('x64-vnni')
    expect(read('debian-x86', (text) => text.replace('avx2 ', 'avx2 avx_vnni ')).target).toBe('x64-vnni')
  })

  it('takes the older Pi 3 and 4 for the target without dot products', () => {
    const report = read('raspberry-pi-5', (text) => text.replace(' asimddp', '').replace('0xd0b', '0xd08'))
    expect(report).toMatchObject({ cpu: 'Cortex-A72', target: 'arm64', fits: true })
  })

  it('tells by how much the clock is wrong', () => {
    expect(read('raspberry-pi-5', (text) => text.replace('now=1795246000', 'now=1795242400')).clockSkewSeconds).toBe(-3600)
  })

  it('reads no temperature from absent sensors', () => {
    expect(read('jetson-nano-jetpack-4').temperatureC).toBe(33.5)
    expect(read('jetson-nano-jetpack-4', (text) => text.replace(/^thermal=.*$/gm, 'thermal=CPU-therm -256000')).temperatureC).toBeNull()
  })
})

describe('boards that do not fit', () => {
  it.each([
    ['raspberry-pi-4-32-bit', [['user land', 'DEVICE_UNSUPPORTED']], /32-bit \(arm\)/, /64-bit edition/],
    ['jetson-nano-jetpack-4', [['C library', 'DEVICE_GLIBC_TOO_OLD']], /glibc 2\.27, needed: glibc 2\.28/, /JetPack 5/],
    [
      'alpine',
      [
        ['C library', 'DEVICE_UNSUPPORTED'],
        ['libstdc++', 'DEVICE_LIBRARY_MISSING'],
        ['libgcc', 'DEVICE_LIBRARY_MISSING'],
      ],
      /musl/,
      /glibc/,
    ],
    ['no-libstdcxx', [['libstdc++', 'DEVICE_LIBRARY_MISSING']], /libstdc\+\+: none/, /apt-get install libstdc\+\+6/],
    ['noexec-home', [['programs in home', 'DEVICE_NOEXEC']], /noexec/, /remount,exec/],
    ['noexec-mount', [['programs in home', 'DEVICE_NOEXEC']], /\/home is mounted noexec/, /remount,exec/],
  ] as const)('%s is refused with its own code and what to do', (name, expected, message, hint) => {
    const report = read(name)
    expect(failing(report)).toEqual(expected)
    expect(report).toMatchObject({ fits: false, target: null })
    const refusal = refusalOf(report, 'board')
    expect(refusal?.code).toBe(expected[0][1])
    expect(refusal?.message).toMatch(message)
    expect(refusal?.hint).toMatch(hint)
  })

  it.each([
    ['a Mac', (text: string) => text.replace('kernel_name=Linux', 'kernel_name=Darwin'), 'operating system', 'DEVICE_UNSUPPORTED'],
    [
      'a 32-bit Pi',
      (text: string) => text.replace('aarch64\n', 'armv7l\n').replace('=arm64', '=armhf').replace('long_bit=64', 'long_bit=32'),
      'processor',
      'DEVICE_UNSUPPORTED',
    ],
    ['an old C++ library', (text: string) => text.replaceAll('6.0.30', '6.0.21'), 'libstdc++', 'DEVICE_LIBRARY_MISSING'],
    ['a full disk', (text: string) => text.replace('53108656', '100000'), 'disk', 'DEVICE_NO_SPACE'],
    [
      'a read-only home',
      (text: string) => text.replace('writable=yes\nexecutable=yes', 'writable=no'),
      'home directory',
      'FILE_NOT_WRITABLE',
    ],
    ['no tar', (text: string) => text.replace('tar=yes\n', ''), 'tar', 'DEVICE_UNSUPPORTED'],
  ] as const)('%s', (_what, change, name, code) => {
    const report = read('raspberry-pi-5', change)
    expect(failing(report)[0]).toEqual([name, code])
    expect(refusalOf(report, 'board')).toMatchObject({ code, hint: expect.any(String) })
  })

  it('counts what Edgesmith already takes there as free for Edgesmith', () => {
    const nearlyFull = (text: string) => text.replace('195666212', '250000')
    expect(read('jetson-orin-jetpack-6', nearlyFull).fits).toBe(true)
    expect(read('jetson-orin-jetpack-6', (text) => nearlyFull(text).replace(/^installed=.*\n/m, '')).fits).toBe(false)
  })
})

describe('hostile answers', () => {
  it('are refused when they are not whole', () => {
    for (const text of ['', 'hello', 'probe=1\n', answer('raspberry-pi-5').replace('end=1\n', '')]) {
      expect(() => readProbe(text, 0, 0)).toThrowError(expect.objectContaining({ code: 'DEVICE_PROTOCOL' }))
    }
  })

  it('lose their control characters and their length', () => {
    const report = read('raspberry-pi-5', (text) =>
      text.replace(/^board=.*$/m, `board=\u001b]0;pwned\u0007\u001b[31mPi\u202e${'x'.repeat(5000)}`),
    )
    expect(report.board).toMatch(/^Pix+…$/)
    expect(report.board?.length).toBeLessThanOrEqual(300)
  })

  it('with absurd numbers become none', () => {
    const report = read('raspberry-pi-5', (text) =>
      text
        .replace(/^cores=.*$/m, 'cores=999999999999999999999')
        .replace(/^loadavg=.*$/m, 'loadavg=NaN')
        .replace(/^disk=.*$/m, 'disk=?'),
    )
    expect(report).toMatchObject({ cores: 1, loadAverage: null, freeDiskBytes: 0, fits: true })
  })
})

describe('a real machine', () => {
  it('is probed in one go, nothing stays behind, and it fits', async () => {
    const { device, open, stop } = await startHarnessedDevice()
    try {
      const session = await open()
      const before = readdirSync(device.home)
      const report = deviceReportSchema.parse(await session.probe())
      expect(readdirSync(device.home)).toEqual(before)
      expect(failing(report)).toEqual([])
      expect(report).toMatchObject({ fits: true, home: device.home, architecture: process.arch, homeNoexec: false })
      expect(Math.abs(report.clockSkewSeconds)).toBeLessThanOrEqual(2)
      // A user made for the test is in no group; whoever runs the tests without root may be.
      if (device.password !== null) expect(report.sudo).toBe('none')
      // Both ways of looking at the same machine agree.
      const here = await localReport(device.home)
      for (const key of [
        'machine',
        'architecture',
        'kernel',
        'system',
        'glibc',
        'cpu',
        'cpuFeatures',
        'cores',
        'target',
        'governor',
        'soc',
        'clusters',
        'thermalZones',
        'swapBytes',
        'powerRails',
        'tmpNoexec',
        'hasSystemd',
      ] as const) {
        expect([key, report[key]]).toEqual([key, here[key]])
      }
      expect(Math.abs(report.memoryBytes - here.memoryBytes)).toBeLessThan(1e6)
      session.close()
    } finally {
      await stop()
    }
  })

  it('that does not fit gets nothing', async () => {
    // A C library of long ago, as far as anybody can tell from the tools of this machine.
    const folder = mkdtempSync(join(tmpdir(), 'edgesmith-probe-'))
    chmodSync(folder, 0o755)
    const getconf = '#!/bin/sh\nif [ "$1" = LONG_BIT ]; then echo 64; else echo "glibc 2.27"; fi\n'
    const { device, open, stop } = await startHarnessedDevice({ path: makeBarePath(join(folder, 'bin'), [], { getconf }) })
    try {
      const session = await open()
      expect(await session.probe()).toMatchObject({ glibc: '2.27', fits: false })
      const reporter = recordingReporter()
      await expect(session.prepare(reporter)).rejects.toMatchObject({ code: 'DEVICE_GLIBC_TOO_OLD', details: { found: 'glibc 2.27' } })
      expect(reporter.steps.map(({ phase }) => phase)).toEqual(['looking at the device'])
      expect(readdirSync(device.home)).toEqual(['.ssh'])
      session.close()
    } finally {
      await stop()
      rmSync(folder, { recursive: true })
    }
  })
})
