import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findBoardSensors, NO_TOOLS, readBoard } from '../../../src/core/telemetry/board-reading.ts'
import { activeCooling, findCoolingDevices } from '../../../src/core/telemetry/cooling-devices.ts'
import { findPolicies, readClocks, readClusters } from '../../../src/core/telemetry/cpu-clocks.ts'
import { findRailSensors, readBoardPower, readRails } from '../../../src/core/telemetry/rail-sensors.ts'
import { cpuLoad, memoryBytes, readCpuTicks } from '../../../src/core/telemetry/system-load.ts'
import { readTegrastats } from '../../../src/core/telemetry/tegrastats.ts'
import { processorTemperature, readThermalZones } from '../../../src/core/telemetry/thermal-zones.ts'
import { boardTexts, kept } from './board-texts.ts'

const MEMINFO = 'MemTotal:        8000000 kB\nMemFree:  1 kB\nMemAvailable:    6000000 kB\nSwapTotal:       1000 kB\n'
const stat = (busy: number, idle: number) => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 2 3 4 5\n`

describe('a reading', () => {
  it('of a Raspberry Pi 5: files, firmware bits and the estimate of the PMIC', () => {
    const files = kept(boardTexts('pi5', { '/proc/stat': stat(100, 900), '/proc/meminfo': MEMINFO }))
    const sensors = findBoardSensors(files)
    const first = readBoard(files, sensors, null, NO_TOOLS)
    expect(first.reading).toEqual({
      temperatureC: 48.312,
      clockMhz: 1500,
      allowedClock: 1,
      cpuLoad: null,
      memoryUsedBytes: 2_000_000 * 1024,
      powerW: null,
      gpuLoad: null,
      gpuClockMhz: null,
      throttled: [],
    })
    files.set('/proc/stat', stat(150, 950))
    const tools = { firmwareBits: 0x50005, pmicPower: { watts: 4.5, source: 'PMIC', estimated: true }, tegrastats: null }
    const second = readBoard(files, sensors, first.ticks, tools)
    expect(second.reading).toMatchObject({ cpuLoad: 0.5, powerW: 4.5, throttled: ['under-voltage (weak power supply)', 'throttling'] })
    expect(second.power).toEqual(tools.pmicPower)
  })

  it('of an Orin: power of the module from its INA3221, the GPU, and what cooling slows', () => {
    const gpu = '/sys/class/devfreq/17000000.gpu'
    const cooling = '/sys/class/thermal/cooling_device'
    const files = kept(
      boardTexts('orin', {
        [`${gpu}/cur_freq`]: '612000000\n',
        [`${gpu}/device/load`]: '734\n',
        [`${cooling}0/type`]: 'cpufreq-cpu0\n',
        [`${cooling}0/cur_state`]: '4\n',
        [`${cooling}0/max_state`]: '28\n',
        [`${cooling}1/type`]: 'hot-surface-alert\n',
        [`${cooling}1/cur_state`]: '1\n',
        [`${cooling}2/type`]: 'pwm-fan\n',
        [`${cooling}2/cur_state`]: '2\n',
      }),
    )
    const { reading, power } = readBoard(files, findBoardSensors(files), null, NO_TOOLS)
    expect(reading).toMatchObject({
      temperatureC: 49.312,
      powerW: 5.25,
      gpuLoad: 0.734,
      gpuClockMhz: 612,
      throttled: ['cpufreq-cpu0 at 4 of 28'],
    })
    expect(power).toEqual({ watts: 5.25, source: 'INA3221 VDD_IN', estimated: false })
  })

  it('of a Nano with JetPack 4, which has other files', () => {
    const files = kept(boardTexts('nano-jetpack-4', { '/sys/devices/gpu.0/load': '120\n' }))
    const { reading, power } = readBoard(files, findBoardSensors(files), null, NO_TOOLS)
    expect(reading).toMatchObject({ temperatureC: 28.5, powerW: 1.388, gpuLoad: 0.12, gpuClockMhz: null })
    expect(power?.source).toBe('INA3221 POM_5V_IN')
    expect(readRails(files, findRailSensors(files)).map(({ name }) => name)).toEqual(['POM_5V_IN', 'POM_5V_GPU', 'POM_5V_CPU'])
  })

  it('takes from tegrastats what no file tells', () => {
    const files = kept({ '/proc/meminfo': MEMINFO })
    const tegrastats = readTegrastats('GR3D_FREQ 42%@[918] CPU@50C tj@51.5C VDD_IN 7000mW/7000mW')
    const { reading, power } = readBoard(files, findBoardSensors(files), null, { ...NO_TOOLS, tegrastats })
    expect(reading).toMatchObject({ temperatureC: 51.5, gpuLoad: 0.42, gpuClockMhz: 918, powerW: 7 })
    expect(power?.source).toBe('tegrastats VDD_IN')
  })

  it('of a machine that says nothing', () => {
    const files = kept({})
    const { reading } = readBoard(files, findBoardSensors(files), null, NO_TOOLS)
    expect({ ...reading, throttled: null }).toEqual(Object.fromEntries(Object.keys(reading).map((key) => [key, null])))
    expect(reading.throttled).toEqual([])
  })
})

describe('clocks', () => {
  const policy = (number: number, cores: string, current: number, allowed: number, most: number) => ({
    [`/sys/devices/system/cpu/cpufreq/policy${number}/affected_cpus`]: cores,
    [`/sys/devices/system/cpu/cpufreq/policy${number}/scaling_cur_freq`]: `${current}\n`,
    [`/sys/devices/system/cpu/cpufreq/policy${number}/scaling_max_freq`]: `${allowed}\n`,
    [`/sys/devices/system/cpu/cpufreq/policy${number}/cpuinfo_max_freq`]: `${most}\n`,
    [`/sys/devices/system/cpu/cpufreq/policy${number}/scaling_governor`]: 'schedutil\n',
  })
  const files = kept({ ...policy(0, '0 1 2', 1_000_000, 900_000, 1_800_000), ...policy(4, '4', 2_000_000, 2_400_000, 2_400_000) })

  it('are means over the cores that are on; the smallest allowed share counts', () => {
    expect(readClocks(files, findPolicies(files))).toEqual({ clockMhz: (3 * 1000 + 2000) / 4, allowedClock: 0.5 })
  })

  it('are told by cluster', () => {
    expect(readClusters(files, findPolicies(files))).toEqual([
      { cores: '0-2', governor: 'schedutil', currentMhz: 1000, allowedMhz: 900, maxMhz: 1800 },
      { cores: '4', governor: 'schedutil', currentMhz: 2000, allowedMhz: 2400, maxMhz: 2400 },
    ])
    const holes = kept(policy(0, '0 1 3 5 6', 1, 1, 1))
    expect(readClusters(holes, findPolicies(holes))[0]?.cores).toBe('0-1,3,5-6')
  })
})

describe('rails', () => {
  const hwmon = (number: number, chip: string, texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries({ name: `${chip}\n`, ...texts }).map(([name, text]) => [`/sys/class/hwmon/hwmon${number}/${name}`, text]),
    )

  it('are counted once where two folders lead to one chip', () => {
    const texts = boardTexts('orin')
    const again = Object.fromEntries(
      Object.entries(texts).map(([path, text]) => [path.replace('/sys/bus/i2c/devices/1-0040/hwmon', '/sys/class/hwmon'), text]),
    )
    const files = kept({ ...texts, ...again })
    expect(readRails(files, findRailSensors(files))).toEqual([
      { name: 'VDD_IN', watts: 5.25 },
      { name: 'VDD_CPU_GPU_CV', watts: 0.51 },
      { name: 'VDD_SOC', watts: 2.72 },
    ])
  })

  it('of an AGX Orin make up the module without the one that hangs on another', () => {
    const files = kept({
      ...hwmon(3, 'ina3221', {
        in1_label: 'VDD_GPU_SOC',
        in1_input: '5000',
        curr1_input: '1000',
        in2_label: 'VDD_CPU_CV',
        in2_input: '5000',
        curr2_input: '400',
        in3_label: 'VIN_SYS_5V0',
        in3_input: '5000',
        curr3_input: '600',
      }),
      ...hwmon(4, 'ina3221', {
        in1_label: 'NC',
        in1_input: '0',
        curr1_input: '0',
        in2_label: 'VDDQ_VDD2_1V8AO',
        in2_input: '5000',
        curr2_input: '100',
      }),
    })
    const sensors = findRailSensors(files)
    expect(sensors.map(({ name }) => name)).toEqual(['VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0', 'VDDQ_VDD2_1V8AO'])
    expect(readBoardPower(files, sensors)).toEqual({
      watts: 10,
      source: 'INA3221 VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0',
      estimated: false,
    })
  })

  it('of a single monitor are the board’s; of a graphics card or of unknown rails they are not', () => {
    const ina219 = kept(hwmon(2, 'ina219', { power1_input: '3250000\n', in1_input: '5000', curr1_input: '650' }))
    expect(readBoardPower(ina219, findRailSensors(ina219))).toEqual({ watts: 3.25, source: 'INA219', estimated: false })
    const named = kept(hwmon(2, 'ina238', { power1_input: '30000000\n', power1_label: 'VIN' }))
    expect(readBoardPower(named, findRailSensors(named))?.source).toBe('INA238 VIN')
    const card = kept(hwmon(0, 'amdgpu', { power1_input: '42000000\n' }))
    expect(findRailSensors(card)).toEqual([])
    const two = kept({ ...hwmon(2, 'ina219', { power1_input: '1\n' }), ...hwmon(3, 'ina226', { power1_input: '1\n' }) })
    expect(readBoardPower(two, findRailSensors(two))).toBeNull()
    const parts = kept(hwmon(1, 'ina3221', { in1_label: 'VDD_A', in1_input: '1', curr1_input: '1' }))
    expect(readBoardPower(parts, findRailSensors(parts))).toBeNull()
  })
})

describe('zones, cooling, load, memory', () => {
  it('absent sensors do not count, and the processor comes first', () => {
    const zone = (number: number, type: string, temp: string) => ({
      [`/sys/class/thermal/thermal_zone${number}/type`]: type,
      [`/sys/class/thermal/thermal_zone${number}/temp`]: temp,
    })
    const files = kept({
      ...zone(0, 'cv0-thermal', '-256000'),
      ...zone(1, 'nvme', '80000'),
      ...zone(10, 'tj-thermal', '49312'),
      ...zone(2, 'x', 'no'),
    })
    expect(readThermalZones(files)).toEqual([
      { name: 'nvme', celsius: 80 },
      { name: 'tj-thermal', celsius: 49.312 },
    ])
    expect(processorTemperature(readThermalZones(files))).toBe(49.312)
    expect(processorTemperature([{ name: 'nvme', celsius: 80 }])).toBe(80)
    expect(processorTemperature([])).toBeNull()
  })

  it('cooling that slows nothing is left out', () => {
    const types = [
      'thermal-cpufreq-0',
      'devfreq-17000000.ga10b',
      'cpu-throttle-alert',
      'gpu-balanced',
      'pwm-fan',
      'Fan',
      'hot-surface-alert',
      'LCD',
    ]
    const files = kept(
      Object.fromEntries(
        types.flatMap((type, index) => [
          [`/sys/class/thermal/cooling_device${index}/type`, type],
          [`/sys/class/thermal/cooling_device${index}/cur_state`, '1'],
        ]),
      ),
    )
    expect(activeCooling(files, findCoolingDevices(files))).toEqual(types.slice(0, 4).map((type) => `${type} at 1`))
  })

  it('load is a difference', () => {
    const ticks = (text: string) => readCpuTicks(kept({ '/proc/stat': text }))
    expect(cpuLoad(ticks(stat(10, 90)), ticks(stat(30, 170)))).toBe(0.2)
    expect(cpuLoad(ticks(stat(10, 90)), ticks(stat(10, 90)))).toBeNull()
    expect(cpuLoad(null, ticks(stat(10, 90)))).toBeNull()
    expect(ticks('nothing')).toBeNull()
    expect(memoryBytes(MEMINFO, 'SwapTotal')).toBe(1000 * 1024)
    expect(memoryBytes('', 'MemTotal')).toBeNull()
  })
})

describe('any files', () => {
  it('are read without failing', () => {
    const path = fc.constantFrom(
      ...Object.keys(boardTexts('orin')),
      ...Object.keys(boardTexts('nano-jetpack-4')),
      '/proc/stat',
      '/proc/meminfo',
      '/sys/class/thermal/cooling_device0/type',
      '/sys/class/thermal/cooling_device0/cur_state',
      '/sys/class/devfreq/17000000.gpu/device/load',
    )
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.integer().map(String),
      fc.constantFrom('ina3221', 'NC', 'VDD_IN', 'cpufreq-0', 'cpu 1 2 3 4 5'),
    )
    fc.assert(
      fc.property(fc.dictionary(path, text), (texts) => {
        const files = kept(texts)
        const { reading } = readBoard(files, findBoardSensors(files), { busy: 0, total: 0 }, NO_TOOLS)
        for (const value of Object.values(reading)) if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
        expect(reading.throttled.length).toBeLessThanOrEqual(8)
      }),
      { numRuns: 1000 },
    )
  })
})
