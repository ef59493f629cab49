import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceTelemetry } from '../../../src/backend/devices/device-telemetry.ts'
import type { TelemetryReading } from '../../../src/contract/telemetry.ts'
import type { DeviceSession } from '../../../src/remote/device-session.ts'

const reading = (atMs: number): TelemetryReading => ({
  atMs,
  temperatureC: 50,
  clockMhz: 2400,
  allowedClock: 1,
  cpuLoad: 0.5,
  memoryUsedBytes: 1e9,
  powerW: null,
  gpuLoad: null,
  gpuClockMhz: null,
  throttled: [],
})

/** A session that only takes readings, and what was done with it. */
function watched() {
  const streams: { push: (atMs: number) => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  const watchTelemetry: DeviceSession['watchTelemetry'] = (onReading, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => resolve())
      streams.push({ push: (atMs) => onReading(reading(atMs), 'INA3221 VDD_IN'), fail: reject, signal })
    })
  return { streams, session: { watchTelemetry } as DeviceSession }
}

describe('live readings', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('begin with the first question, are kept in order, and end when nobody asks', async () => {
    const { streams, session } = watched()
    const telemetry = new DeviceTelemetry()
    expect(telemetry.readings('a', session)).toEqual({ readings: [], powerSource: null })
    streams[0]?.push(1)
    streams[0]?.push(2)
    const { readings, powerSource } = telemetry.readings('a', session)
    expect(readings.map(({ atMs }) => atMs)).toEqual([1, 2])
    expect(powerSource).toBe('INA3221 VDD_IN')
    expect(streams).toHaveLength(1)
    vi.advanceTimersByTime(9_000)
    telemetry.readings('a', session)
    vi.advanceTimersByTime(9_000)
    expect(streams[0]?.signal.aborted).toBe(false)
    vi.advanceTimersByTime(2_000)
    expect(streams[0]?.signal.aborted).toBe(true)
    expect(telemetry.readings('a', session).readings).toEqual([])
    expect(streams).toHaveLength(2)
  })

  it('keep the last 600', async () => {
    const { streams, session } = watched()
    const telemetry = new DeviceTelemetry()
    telemetry.readings('a', session)
    for (let atMs = 1; atMs <= 700; atMs++) streams[0]?.push(atMs)
    const { readings } = telemetry.readings('a', session)
    expect(readings).toHaveLength(600)
    expect(readings[0]?.atMs).toBe(101)
    telemetry.close()
    expect(streams[0]?.signal.aborted).toBe(true)
  })

  it('tell once why they ended, then begin anew', async () => {
    const { streams, session } = watched()
    const telemetry = new DeviceTelemetry()
    telemetry.readings('a', session)
    streams[0]?.fail(new Error('the link broke'))
    await vi.advanceTimersByTimeAsync(0)
    expect(() => telemetry.readings('a', session)).toThrow('the link broke')
    expect(telemetry.readings('a', session).readings).toEqual([])
    expect(streams).toHaveLength(2)
    // What ended them before a device was out of sight for long is no news.
    streams[1]?.fail(new Error('the link broke again'))
    await vi.advanceTimersByTimeAsync(11_000)
    expect(telemetry.readings('a', session).readings).toEqual([])
    expect(streams).toHaveLength(3)
  })
})
