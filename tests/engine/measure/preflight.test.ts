import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ClockState, readClockState } from '../../../src/engine/measure/clock-state.ts'
import { MachineWatch } from '../../../src/engine/measure/machine-watch.ts'
import { preflightChecks } from '../../../src/engine/measure/preflight.ts'

let root: string

async function machine(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgesmith-preflight-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const unknown: ClockState = {
  governor: undefined,
  driver: undefined,
  allowedClock: undefined,
  temperatureC: undefined,
  throttleCount: undefined,
  firmwareBits: undefined,
  cooling: undefined,
}
const CPU = 'sys/devices/system/cpu/cpufreq/policy0'

describe('preflightChecks', () => {
  it('says what was found and what is wanted', async () => {
    await machine({ 'proc/meminfo': 'MemTotal: 4000000 kB\nMemAvailable:     300000 kB\n' })
    const clocks = {
      ...unknown,
      governor: 'powersave',
      driver: 'cpufreq-dt',
      allowedClock: 0.625,
      temperatureC: 81.25,
      firmwareBits: 0x50005,
    }
    expect(preflightChecks(root, { clocks, others: 0.256, modelBytes: 50e6 })).toEqual([
      { name: 'governor', found: 'powersave', wanted: 'one that raises the clock under load', ok: false },
      { name: 'allowed clock', found: '63 % of the highest', wanted: 'all of it', ok: false },
      { name: 'temperature', found: '81.3 °C', wanted: 'below 80 °C', ok: false },
      { name: 'throttling', found: 'under-voltage (weak power supply), throttling', wanted: 'none', ok: false },
      { name: 'other programs', found: '26 % of the processors', wanted: 'at most 10 %', ok: false },
      { name: 'free memory', found: '307 MB', wanted: 'at least 410 MB', ok: false },
    ])
  })

  it('passes a calm machine, and leaves out what a machine does not tell', async () => {
    await machine({ 'proc/meminfo': 'MemAvailable: 8000000 kB\n' })
    const clocks = { ...unknown, governor: 'ondemand', allowedClock: 1, temperatureC: 45, firmwareBits: 0 }
    const checks = preflightChecks(root, { clocks, others: 0.02, modelBytes: 1e6 })
    expect(checks).toHaveLength(6)
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    const silent = preflightChecks(root, { clocks: unknown, others: 0.02, modelBytes: 1e6 })
    expect(silent.map(({ name }) => name).filter((name) => name !== 'free memory')).toEqual(['other programs'])
  })
})

describe('MachineWatch', () => {
  async function observe(before: number | undefined, during: () => Promise<void>) {
    const watch = new MachineWatch(root, await readClockState(root), before)
    watch.begin()
    await during()
    watch.look()
    watch.end()
    return watch.observations()
  }

  it('labels by the worst there was', async () => {
    const nothing = async () => {}
    expect((await observe(undefined, nothing)).noise).toEqual({ label: 'unknown', reasons: [] })
    expect((await observe(0.05, nothing)).noise).toEqual({ label: 'quiet', reasons: [] })
    const noisy = await observe(0.4, nothing)
    expect(noisy.noise.label).toBe('noisy')
    expect(noisy.busy).toEqual(noisy.noise.reasons)
    const counter = 'sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count'
    await machine({ [counter]: '3' })
    const throttled = await observe(0.4, () => machine({ [counter]: '4' }))
    expect(throttled.noise).toEqual({
      label: 'throttled',
      reasons: ['The processor got too hot and throttled during the measurement.', ...noisy.busy],
    })
  })

  it('sees a clock that is taken back and heat that passes while it measures', async () => {
    const zone = 'sys/class/thermal/thermal_zone0/temp'
    const clock = (allowed: string) => ({ [`${CPU}/cpuinfo_max_freq`]: '2000000', [`${CPU}/scaling_max_freq`]: allowed })
    await machine({ ...clock('2000000'), [zone]: '50000' })
    const watch = new MachineWatch(root, await readClockState(root), 0)
    watch.begin()
    await machine({ ...clock('1200000'), [zone]: '84000' })
    watch.look()
    await machine({ ...clock('2000000'), [zone]: '60000' })
    watch.end()
    const { noise, clocks } = await watch.observations()
    expect(noise).toEqual({
      label: 'throttled',
      reasons: ['The allowed clock fell from 100 % to 60 % of the highest during the measurement.'],
    })
    expect(clocks).toMatchObject({ temperatureC: 84, allowedClock: 0.6 })
  })

  it('does not call a limit that somebody has set throttling', async () => {
    await machine({ [`${CPU}/cpuinfo_max_freq`]: '2000000', [`${CPU}/scaling_max_freq`]: '1000000' })
    expect((await observe(0, async () => {})).noise.label).toBe('quiet')
  })
})
