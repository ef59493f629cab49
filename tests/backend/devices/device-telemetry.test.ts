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
function session() {
  const streams: { push: (atMs: number) => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  const watchTelemetry: DeviceSession['watchTelemetry'] = (onReading, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => resolve())
      streams.push({ push: (atMs) => onReading(reading(atMs), 'INA3221 VDD_IN'), fail: reject, signal })
    })
  return { streams, open: async () => ({ watchTelemetry }) as DeviceSession }
}

describe('live readings', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('begin with the first question, are kept in order, and end when nobody asks', async () => {
    const { streams, open } = session()
    const telemetry = new DeviceTelemetry()
    expect(await telemetry.readings('a', open)).toEqual({ readings: [], powerSource: null })
    streams[0]?.push(1)
    streams[0]?.push(2)
    const { readings, powerSource } = await telemetry.readings('a', open)
    expect(readings.map(({ atMs }) => atMs)).toEqual([1, 2])
    expect(powerSource).toBe('INA3221 VDD_IN')
    expect(streams).toHaveLength(1)
    vi.advanceTimersByTime(9_000)
    await telemetry.readings('a', open)
    vi.advanceTimersByTime(9_000)
    expect(streams[0]?.signal.aborted).toBe(false)
    vi.advanceTimersByTime(2_000)
    expect(streams[0]?.signal.aborted).toBe(true)
    expect((await telemetry.readings('a', open)).readings).toEqual([])
    expect(streams).toHaveLength(2)
  })

  it('keep the last 600', async () => {
    const { streams, open } = session()
    const telemetry = new DeviceTelemetry()
    await telemetry.readings('a', open)
    for (let atMs = 1; atMs <= 700; atMs++) streams[0]?.push(atMs)
    const { readings } = await telemetry.readings('a', open)
    expect(readings).toHaveLength(600)
    expect(readings[0]?.atMs).toBe(101)
    telemetry.close()
    expect(streams[0]?.signal.aborted).toBe(true)
  })

  it('tell once why they ended, then begin anew', async () => {
    const { streams, open } = session()
    const telemetry = new DeviceTelemetry()
    await telemetry.readings('a', open)
    streams[0]?.fail(new Error('the link broke'))
    await vi.advanceTimersByTimeAsync(0)
    await expect(telemetry.readings('a', open)).rejects.toThrow('the link broke')
    expect((await telemetry.readings('a', open)).readings).toEqual([])
    expect(streams).toHaveLength(2)
    // What ended them before a device was out of sight for long is no news.
    streams[1]?.fail(new Error('the link broke again'))
    await vi.advanceTimersByTimeAsync(11_000)
    expect((await telemetry.readings('a', open)).readings).toEqual([])
    expect(streams).toHaveLength(3)
  })
})
