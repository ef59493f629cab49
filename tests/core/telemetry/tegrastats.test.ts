import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boardPower } from '../../../src/core/telemetry/power-rails.ts'
import { readTegrastats, type TegrastatsLine } from '../../../src/core/telemetry/tegrastats.ts'

const folder = join(import.meta.dirname, 'fixtures', 'tegrastats')
const lines = (name: string) =>
  readFileSync(join(folder, `${name}.txt`), 'utf8')
    .trimEnd()
    .split('\n')
const line = (name: string, index = 0) => readTegrastats(lines(name)[index] ?? '')
const celsius = ({ temperatures }: TegrastatsLine, name: string) => temperatures.find((sensor) => sensor.name === name)?.celsius
const watts = ({ rails }: TegrastatsLine, name: string) => rails.find((rail) => rail.name === name)?.watts
const loads = ({ cores }: TegrastatsLine) => cores.map((core) => core?.load ?? null)

describe('lines of real boards', () => {
  it.each(readdirSync(folder))('leave nothing unknown: %s', (file) => {
    for (const text of lines(file.replace('.txt', ''))) expect(readTegrastats(text).unknown).toEqual([])
  })

  it('of an Orin Nano with JetPack 6', () => {
    const busy = line('orin-nano-jetpack-6', 1)
    expect(busy).toMatchObject({
      date: '10-08-2026 04:35:02',
      ram: { usedBytes: 6712 * 2 ** 20, totalBytes: 7620 * 2 ** 20 },
      swap: { usedBytes: 369 * 2 ** 20, totalBytes: 3810 * 2 ** 20 },
      gpu: { load: 0.99, mhz: 612 },
      memoryController: { load: 0.61, mhz: 2133 },
    })
    expect(loads(busy)).toEqual([0.38, 0.02, 0.01, 0, 0.01, 0])
    expect(busy.cores[0]?.mhz).toBe(1497)
    expect(busy.engines).toContainEqual({ name: 'NVDEC', on: false, load: null, mhz: null })
    expect(busy.engines).toContainEqual({ name: 'APE', on: true, load: null, mhz: 200 })
    expect(celsius(busy, 'tj')).toBe(58.312)
    expect(boardPower(busy.rails, 'tegrastats')).toEqual({ watts: 16.321, source: 'tegrastats VDD_IN', estimated: false })
  })

  it('of an AGX Orin: absent sensors, rails that lead nowhere, engines with a clock alone, no RAM', () => {
    const idle = line('agx-orin-jetpack-6')
    expect(idle.temperatures.map(({ name }) => name)).toEqual(['CPU', 'Tboard', 'SOC2', 'Tdiode', 'SOC0', 'tj', 'SOC1'])
    expect(idle.gpu).toEqual({ load: 0, mhz: 0 })
    expect(idle.rails.map(({ name }) => name)).toEqual(['VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0', 'VDDQ_VDD2_1V8AO'])
    const power = boardPower(idle.rails, 'tegrastats')
    expect(power?.watts).toBeCloseTo(2.34 + 0.39 + 4.025, 9)
    expect(power?.source).toBe('tegrastats VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0')
    const busy = line('agx-orin-jetpack-5', 1)
    expect(busy).toMatchObject({ date: null, ram: null, gpu: { load: 0.14, mhz: 407 } })
    expect(busy.engines).toEqual([
      { name: 'VIC', on: true, load: null, mhz: 115 },
      { name: 'NVDLA0', on: true, load: null, mhz: 1600 },
      { name: 'APE', on: true, load: null, mhz: 174 },
    ])
    expect(line('agx-orin-jetpack-5')).toMatchObject({ gpu: { load: 0.75, mhz: null }, memoryController: { load: 0, mhz: null } })
  })

  it('of an AGX Xavier: rails without units, cores that are off', () => {
    const idle = line('agx-xavier-jetpack-4')
    expect(idle.rails.map(({ name }) => name)).toEqual(['GPU', 'CPU', 'SOC', 'CV', 'VDDRQ', 'SYS5V'])
    expect(celsius(idle, 'GPU')).toBe(30.5)
    expect(boardPower(idle.rails, 'tegrastats')?.watts).toBeCloseTo(0.463 + 0.618 + 2.936 + 0 + 0.309 + 3.306, 9)
    const less = line('agx-xavier-jetpack-4', 1)
    expect(loads(less)).toEqual([0.57, 0.56, 0.57, 0.63, null, null, null, null])
    expect(boardPower(less.rails, 'tegrastats')).toBeNull()
  })

  it('of a TX2 and a Nano', () => {
    expect(watts(line('tx2-jetpack-4'), 'VDD_IN')).toBe(3.14)
    expect(watts(line('tx2-jetpack-4', 1), 'VDD_IN')).toBe(3.539)
    expect(line('tx2-jetpack-3')).toMatchObject({ gpu: { load: 0, mhz: 140 }, memoryController: { load: 0, mhz: 1866 } })
    const nano = line('nano-jetpack-4')
    expect(nano.gpu).toEqual({ load: 0, mhz: 76 })
    expect(boardPower(nano.rails, 'tegrastats')).toEqual({ watts: 1.75, source: 'tegrastats POM_5V_IN', estimated: false })
    expect(line('nano-jetpack-4', 1)).toMatchObject({
      ram: null,
      cores: [
        { load: 0.06, mhz: 102 },
        { load: 0.06, mhz: 102 },
      ],
    })
  })

  it('of a Thor: clocks of three parts of the GPU and no load', () => {
    expect(line('thor-jetpack-7').gpu).toEqual({ load: null, mhz: 314 })
  })
})

describe('other forms', () => {
  it('clocks of several parts are averaged', () => {
    expect(readTegrastats('GR3D_FREQ 50%@[713,715]').gpu).toEqual({ load: 0.5, mhz: 714 })
  })

  it('one clock for all cores, as the TX1 prints it', () => {
    expect(readTegrastats('RAM 1092/3994MB (lfb 431x4MB) cpu [0%,12%,off,off]@204 EMC 2%@1600 GR3D 7%@76')).toMatchObject({
      cores: [{ load: 0, mhz: 204 }, { load: 0.12, mhz: 204 }, null, null],
      memoryController: { load: 0.02, mhz: 1600 },
      gpu: { load: 0.07, mhz: 76 },
      unknown: [],
    })
  })

  it('what is not known is kept, and the rest read', () => {
    const found = readTegrastats('RAM 1/2MB NEWPART{3} GR3D_FREQ 7% strange: words VDD_IN 5000mW/5000mW')
    expect(found.unknown).toEqual(['NEWPART{3}', 'strange:', 'words'])
    expect([found.gpu?.load, watts(found, 'VDD_IN')]).toEqual([0.07, 5])
    expect(readTegrastats('tegrastats: command failed').unknown.length).toBeGreaterThan(0)
  })
})

describe('any text', () => {
  it('is read without failing, and without growing', () => {
    const part = fc.constantFrom(
      'RAM 1/2MB',
      'CPU [',
      '0%@1,off',
      ']',
      'GR3D_FREQ',
      '@[',
      '1,2]',
      'VDD_IN',
      '5mW/5mW',
      'cpu@4C',
      'off',
      '%',
      'SWAP',
      '(lfb',
    )
    const text = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.array(part, { maxLength: 60 }).map((parts) => parts.join(' ')),
    )
    fc.assert(
      fc.property(text, (line) => {
        const found = readTegrastats(line)
        const kept = found.cores.length + found.engines.length + found.temperatures.length + found.rails.length + found.unknown.length
        expect(kept).toBeLessThanOrEqual(line.length + 1)
        for (const rail of found.rails) expect(Number.isFinite(rail.watts)).toBe(true)
        for (const core of found.cores) if (core?.load != null) expect(core.load >= 0 && core.load <= 1).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('of megabytes is cut', () => {
    const found = readTegrastats(`${'VDD_A 1mW '.repeat(200_000)}`)
    expect(found.rails.length).toBeLessThanOrEqual(256)
    expect(readTegrastats(`CPU [${'0%,'.repeat(1_000_000)}]`).cores.length).toBeLessThanOrEqual(256)
  })
})
