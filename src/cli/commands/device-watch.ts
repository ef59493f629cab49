import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { formatBytes } from '../../backend/report/quantities.ts'
import type { TelemetryReading } from '../../contract/telemetry.ts'
import { defineCommand } from '../command.ts'
import { setting } from '../option.ts'
import { findDevice } from '../references.ts'
import { textTable } from '../text-table.ts'

/** How often the backend is asked for what came meanwhile. */
const ASK_EVERY_MS = 1000

export const deviceWatchCommand = defineCommand({
  name: 'device watch',
  summary: 'Show temperature, clocks, load, memory and power of a device while they change',
  positionals: { name: { description: 'name of the device, or this-computer' } },
  options: { seconds: setting('S', z.number().min(1).max(3600).default(10), 'how long') },
  notes: ['Lines appear while it runs; the table of all readings comes at the end. Ctrl+C ends it early.'],
  examples: ['device watch pi5 --seconds 60'],
  run: async (context, options, { name }) => {
    const device = await findDevice(context, name)
    const backend = await context.backend()
    const seconds = options.seconds ?? 10
    let stopped = false
    const release = context.interruption.handle(() => {
      stopped = true
    })
    const seen: TelemetryReading[] = []
    let powerSource: string | null = null
    try {
      for (const end = Date.now() + seconds * 1000; !stopped && Date.now() < end; ) {
        const answer = await backend.call('devices.telemetry', { id: device.id })
        powerSource = answer.powerSource
        const last = seen.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
        const fresh = answer.readings.filter(({ atMs }) => atMs > last)
        seen.push(...fresh)
        if (!context.json) for (const reading of fresh) context.terminal.note(cells(reading).filter(Boolean).join('   '))
        await sleep(ASK_EVERY_MS)
      }
    } finally {
      release()
    }
    const titles = ['time', 'temperature', 'clock', 'load', 'memory', 'power', 'GPU', 'held down by']
    return {
      document: { device: device.name, powerSource, readings: seen },
      text:
        seen.length === 0
          ? 'Nothing was read.'
          : textTable(
              titles.map((title) => ({ title })),
              seen.map(cells),
            ),
    }
  },
})

function cells(reading: TelemetryReading): string[] {
  const { atMs, temperatureC, clockMhz, cpuLoad, memoryUsedBytes, powerW, gpuLoad, throttled } = reading
  return [
    new Date(atMs).toISOString().slice(11, 19),
    temperatureC === null ? '' : `${temperatureC.toFixed(1)} °C`,
    clockMhz === null ? '' : `${Math.round(clockMhz)} MHz`,
    cpuLoad === null ? '' : `${Math.round(cpuLoad * 100)} %`,
    memoryUsedBytes === null ? '' : formatBytes(memoryUsedBytes),
    powerW === null ? '' : `${powerW.toFixed(2)} W`,
    gpuLoad === null ? '' : `GPU ${Math.round(gpuLoad * 100)} %`,
    throttled.join(', '),
  ]
}
