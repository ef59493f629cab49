import { describe, expect, it } from 'vitest'
import type { TelemetryReading } from '../../src/contract/telemetry.ts'
import { telemetryLine, throttledStretches } from '../../src/renderer/telemetry/telemetry-line.ts'
import { boardMetrics, newestValue, readableMetrics } from '../../src/renderer/telemetry/telemetry-metrics.ts'
import { freshReadings } from '../../src/renderer/telemetry/use-telemetry.ts'

function reading(atMs: number, change: Partial<TelemetryReading> = {}): TelemetryReading {
  return {
    ...{ atMs, temperatureC: null, clockMhz: null, allowedClock: null, cpuLoad: null, memoryUsedBytes: null, powerW: null },
    ...{ gpuLoad: null, gpuClockMhz: null, throttled: [] },
    ...change,
  }
}

function metric(key: string) {
  const found = boardMetrics.find((one) => one.key === key)
  if (!found) throw new Error(`no metric ${key}`)
  return found
}

describe('readableMetrics', () => {
  it('tells what a machine says from what it does not, and misses no GPU where there is none', () => {
    const { readable, missing } = readableMetrics([reading(0), reading(1000, { cpuLoad: 0, memoryUsedBytes: 5e8 })])
    expect(readable.map(({ key }) => key)).toEqual(['load', 'memory'])
    expect(missing.map(({ key }) => key)).toEqual(['temperature', 'clock', 'power'])
    expect(readableMetrics([reading(0, { gpuLoad: 0.5 })]).readable.map(({ key }) => key)).toEqual(['gpuLoad'])
  })

  it('knows a real zero from nothing', () => {
    expect(newestValue([reading(0, { cpuLoad: 0.5 }), reading(1000, { cpuLoad: 0 })], metric('load'))).toBe(0)
    expect(newestValue([reading(0, { cpuLoad: 0.5 }), reading(1000)], metric('load'))).toBeNull()
    expect(newestValue([], metric('load'))).toBeNull()
  })

  it('writes values with their units', () => {
    const texts = boardMetrics.map(({ format }) => format(0.5))
    expect(texts).toEqual(['1 °C', '1 MHz', '50%', '1 B', '0.500 W'])
    expect(metric('memory').format(1_750_000_000)).toBe('1.75 GB')
  })
})

describe('telemetryLine', () => {
  it('breaks where nothing was read and where the machine was not asked', () => {
    const readings = [reading(0, { cpuLoad: 0.25 }), reading(1000), reading(2000, { cpuLoad: 1 }), reading(60_000, { cpuLoad: 0.5 })]
    expect(telemetryLine(readings, metric('load')).map(({ atMs, value }) => [atMs, value])).toEqual([
      [0, 25],
      [1000, Number.NaN],
      [2000, 100],
      [2000, Number.NaN],
      [60_000, 50],
    ])
  })
})

describe('throttledStretches', () => {
  it('lasts until the first reading without a cause, or to the end', () => {
    const hot = { throttled: ['throttled'] }
    const readings = [reading(0), reading(1000, hot), reading(2000, hot), reading(3000), reading(4000, hot), reading(5000, hot)]
    expect(throttledStretches(readings)).toEqual([
      { fromMs: 1000, toMs: 3000 },
      { fromMs: 4000, toMs: 5000 },
    ])
    expect(throttledStretches([])).toEqual([])
  })
})

describe('freshReadings', () => {
  it('does not show what a machine said long ago', () => {
    const readings = [reading(1000), reading(2000)]
    expect(freshReadings(readings, 10_000)).toBe(readings)
    expect(freshReadings(readings, 17_001)).toEqual([])
    expect(freshReadings([], 0)).toEqual([])
  })
})
