import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { environmentSchema } from '../../../src/contract/environment.ts'
import { clockWarnings, readClockState } from '../../../src/engine/measure/clock-state.ts'
import { readEnvironment } from '../../../src/engine/measure/environment.ts'
import { describeProcessor } from '../../../src/engine/measure/processor.ts'
import { readProcessorTicks, shareOfOthers } from '../../../src/engine/measure/processor-load.ts'

let root: string

/** Files of a made-up machine. */
async function machine(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgesmith-machine-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true, force: true })
})

const RASPBERRY_PI_5 = {
  'proc/device-tree/model': 'Raspberry Pi 5 Model B Rev 1.0\0',
  'proc/cpuinfo': [0, 1]
    .map(
      (core) =>
        `processor\t: ${core}\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 asimdhp asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n`,
    )
    .join('\n'),
  'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n',
  'sys/devices/system/cpu/cpufreq/policy0/scaling_governor': 'powersave\n',
  'sys/devices/system/cpu/cpufreq/policy0/scaling_driver': 'cpufreq-dt\n',
  'sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq': '1500000\n',
  'sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq': '2400000\n',
  'sys/class/thermal/thermal_zone0/type': 'cpu-thermal\n',
  'sys/class/thermal/thermal_zone0/temp': '61700\n',
  'sys/class/thermal/thermal_zone1/type': 'nvme\n',
  'sys/class/thermal/thermal_zone1/temp': '80000\n',
}

/** A `vcgencmd` on PATH that answers with these bits. */
async function firmware(bits: string): Promise<void> {
  await machine({ 'bin/vcgencmd': `#!/bin/sh\necho throttled=${bits}\n` })
  await chmod(join(root, 'bin/vcgencmd'), 0o755)
  vi.stubEnv('PATH', `${join(root, 'bin')}${delimiter}${process.env.PATH}`)
}

describe('environment', () => {
  it('describes a Raspberry Pi', async () => {
    await machine(RASPBERRY_PI_5)
    const clocks = await readClockState(root)
    const found = readEnvironment(root, clocks, '1.2.3')
    expect(environmentSchema.parse(found)).toEqual(found)
    expect(found).toMatchObject({
      machine: 'Raspberry Pi 5 Model B Rev 1.0',
      cpu: 'Cortex-A76',
      cpuFeatures: ['asimd', 'asimdhp', 'asimddp'],
      governor: 'powersave',
      temperatureC: 61.7,
      edgesmithVersion: '1.2.3',
      onnxRuntimeVersion: '1.30.0',
      nodeVersion: process.versions.node,
    })
    expect(found.system).toMatch(/^Debian GNU\/Linux 12 \(bookworm\), /)
  })

  it('describes this machine, and one that says nothing of itself', async () => {
    for (const place of ['/', root]) {
      const found = readEnvironment(place, await readClockState(place), '1.2.3')
      expect(environmentSchema.parse(found)).toEqual(found)
      expect(found.memoryBytes).toBeGreaterThan(2 ** 20)
      expect(found.logicalCores).toBeGreaterThan(0)
      expect(found.machine).not.toBe('')
    }
    const silent = readEnvironment(root, await readClockState(root), '1.2.3')
    expect(silent).toMatchObject({ governor: null, temperatureC: null, cpuFeatures: [] })
  })

  it('names processors', () => {
    const x86 =
      'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i7\nflags\t\t: fpu sse4_1 fma avx avx2 avx512_vnni secret\n'
    expect(describeProcessor(x86, 'other')).toEqual({
      name: 'Intel(R) Core(TM) i7',
      features: ['sse4_1', 'avx', 'fma', 'avx2', 'avx512_vnni'],
    })
    const big = (part: string) => `CPU implementer\t: 0x41\nCPU part\t: ${part}\n`
    expect(describeProcessor(big('0xd05') + big('0xd05') + big('0xd41') + big('0xfff'), '').name).toBe(
      'Cortex-A55 + Cortex-A78 + Arm part 0xfff',
    )
    expect(describeProcessor('CPU implementer\t: 0x61\nCPU part\t: 0x022\n', 'Apple M1')).toEqual({ name: 'Apple M1', features: [] })
    expect(describeProcessor(undefined, '')).toEqual({ name: 'unknown', features: [] })
  })
})

describe('clock warnings', () => {
  it('tell of a governor and a limit that hold the clock down', async () => {
    await machine(RASPBERRY_PI_5)
    const state = await readClockState(root)
    expect(clockWarnings(state, state)).toEqual([
      'The CPU governor is "powersave": the processor stays at its lowest clock, so latencies are longer than they need to be.',
      'The processor may only use 63 % of its highest clock.',
    ])
  })

  it('know the drivers whose "powersave" is the ordinary governor', async () => {
    await machine({
      'sys/devices/system/cpu/cpufreq/policy0/scaling_governor': 'powersave\n',
      'sys/devices/system/cpu/cpufreq/policy0/scaling_driver': 'intel_pstate\n',
    })
    const state = await readClockState(root)
    expect([state.governor, clockWarnings(state, state)]).toEqual(['powersave', []])
  })

  it('tell of throttling that is live, or that happened meanwhile', async () => {
    await machine({ 'proc/device-tree/model': 'Raspberry Pi 4 Model B' })
    await firmware('0x0')
    const calm = await readClockState(root)
    expect(calm.firmwareBits).toBe(0)
    expect(clockWarnings(calm, calm)).toEqual([])

    await firmware('0x50005')
    const live = await readClockState(root)
    expect(clockWarnings(live, live)).toEqual([
      'The Raspberry Pi reported under-voltage (weak power supply), throttling during the measurement.',
    ])
    await firmware('0x80000')
    const since = await readClockState(root)
    expect(clockWarnings(calm, since)).toEqual(['The Raspberry Pi reported the soft temperature limit during the measurement.'])
    // The same bit set before says nothing about this measurement.
    expect(clockWarnings(since, since)).toEqual([])
  })

  it('count throttling of PC processors', async () => {
    const counter = 'sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count'
    await machine({ [counter]: '7\n' })
    const before = await readClockState(root)
    await machine({ [counter]: '9\n' })
    const after = await readClockState(root)
    expect(clockWarnings(before, after)).toEqual(['The processor got too hot and throttled during the measurement.'])
    expect(clockWarnings(after, after)).toEqual([])
  })

  it('do without what a machine does not have', async () => {
    await machine({
      'proc/device-tree/model': 'Raspberry Pi 4 Model B',
      'sys/class/thermal/thermal_zone0/temp': '-256000',
      'sys/class/thermal/thermal_zone1/temp': 'nonsense',
    })
    vi.stubEnv('PATH', join(root, 'nowhere'))
    const state = await readClockState(root)
    expect(state).toEqual({})
    expect(clockWarnings(state, state)).toEqual([])
  })
})

describe('processor load', () => {
  const ticks = (busy: number, idle: number) =>
    `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\ncpu1 1 0 0 1 0 0 0 0 0 0\nintr 1\n`

  it('is what others used: all busy time less our own', async () => {
    await machine({ 'proc/stat': ticks(100, 900) })
    const before = readProcessorTicks(root)
    expect(before).toMatchObject({ busy: 100, total: 1000, processors: 2 })
    await machine({ 'proc/stat': ticks(180, 1020) })
    const after = { ...readProcessorTicks(root), atMs: before.atMs + 1000, ownMs: before.ownMs + 500 }
    // 80 of 200 ticks were busy; we used 500 of 2,000 ms.
    expect(shareOfOthers(before, after)).toBeCloseTo(0.4 - 0.25, 10)
    expect(shareOfOthers(before, { ...after, ownMs: before.ownMs + 5000 })).toBe(0)
    expect(shareOfOthers(before, before)).toBeUndefined()
  })

  it('counts time stolen by other virtual machines as busy, waiting for a disk as idle', async () => {
    await machine({ 'proc/stat': 'cpu  1 2 3 100 50 4 5 6 1000 1000\ncpu0 1 2 3 100 50 4 5 6 1000 1000\n' })
    expect(readProcessorTicks(root)).toMatchObject({ busy: 21, total: 171, processors: 1 })
  })

  it('works where there is no /proc', () => {
    const found = readProcessorTicks(root)
    expect(found.total).toBeGreaterThan(0)
    expect(found.busy).toBeLessThanOrEqual(found.total)
  })
})
