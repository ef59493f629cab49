import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type BenchSettings, benchResultSchema, benchSettingsSchema } from '../../../src/contract/measurement.ts'
import { energySchema, runTelemetrySchema } from '../../../src/contract/telemetry.ts'
import { benchmark } from '../../../src/engine/measure/benchmark.ts'
import { RunSampler } from '../../../src/engine/measure/run-telemetry.ts'
import type { BenchmarkPrograms } from '../../../src/engine/measure/scenario.ts'
import { sharedNowMs } from '../../../src/engine/measure/shared-clock.ts'
import { boardFiles } from '../../devices/board-files.ts'
import { linearModel } from './small-models.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgesmith-telemetry-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

const workers: Worker[] = []
const programs: BenchmarkPrograms = {
  startTelemetry: (options) => {
    const worker = new Worker(new URL('telemetry-worker-entry.ts', import.meta.url), { ...options, execArgv: [] })
    workers.push(worker)
    return worker
  },
  startStream: () => {
    throw new Error('no streams here')
  },
  startServer: () => Promise.reject(new Error('no server here')),
}
const reporter = { progress: () => {}, log: () => {} }

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, { mode: 0o755 })
}

function board(name: Parameters<typeof boardFiles>[0]): void {
  for (const [path, text] of Object.entries(boardFiles(name, 4))) put(path, text)
  put('/proc/stat', 'cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1 2 3 4 5\n')
  put('/proc/meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n')
}

/** A run that lasts so long, with the board as it is. */
async function run(lastsMs: number, during: () => void = () => {}) {
  const sampler = await RunSampler.start(root, programs)
  if (!sampler) expect.fail('no sampler')
  try {
    await sampler.measureIdle(reporter, new AbortController().signal)
    const beginMs = sharedNowMs()
    sampler.mark()
    during()
    await sleep(lastsMs)
    const endMs = sharedNowMs()
    sampler.mark()
    return await sampler.seen({ beginMs, endMs, elapsedMs: endMs - beginMs, runs: 100 })
  } finally {
    sampler.stop()
  }
}

describe('the thread that reads sensors', () => {
  it('gives readings and energy of a Jetson', async () => {
    board('orin')
    const seen = await run(2000, () => put('/sys/bus/i2c/devices/1-0040/hwmon/hwmon1/curr1_input', '2050\n'))
    expect(runTelemetrySchema.parse(seen.telemetry)).toEqual(seen.telemetry)
    const readings = seen.telemetry?.readings ?? []
    expect(readings.length).toBeGreaterThanOrEqual(3)
    expect(seen.telemetry?.powerSource).toBe('INA3221 VDD_IN')
    for (const [index, reading] of readings.entries()) {
      expect(reading).toMatchObject({ temperatureC: 49.312, clockMhz: 1497.6, memoryUsedBytes: 2_000_000 * 1024, throttled: [] })
      expect(reading.atMs).toBeGreaterThanOrEqual(readings[index - 1]?.atMs ?? 0)
    }
    expect(energySchema.parse(seen.energy)).toEqual(seen.energy)
    if (!seen.energy.measurable) expect.fail(seen.energy.reason)
    // 5.25 W when idle, 10.25 W from the first reading of the run on, or from the one after.
    expect(seen.energy).toMatchObject({ idleW: 5.25, source: 'INA3221 VDD_IN', estimated: false })
    expect(seen.energy.meanW).toBeGreaterThan(7)
    expect(seen.energy.meanW).toBeLessThanOrEqual(10.25)
    const seconds = (readings.at(-1)?.atMs ?? 0) / 1000
    expect(seen.energy.grossMj).toBeCloseTo((seen.energy.meanW * seconds * 1000) / 100, 0)
    expect(seen.energy.netMj).toBeCloseTo(seen.energy.grossMj - (5.25 * seconds * 1000) / 100, 0)
  })

  it('asks the tools of a Raspberry Pi 5, and says that its power is an estimate', async () => {
    board('pi5')
    put('/bin/vcgencmd', `#!/bin/sh\ncase $1 in get_throttled) echo throttled=0x4;; *) cat ${join(root, 'usr/local/board/pmic')};; esac\n`)
    vi.stubEnv('PATH', `${join(root, 'bin')}${delimiter}${process.env.PATH}`)
    const seen = await run(200)
    expect(seen.telemetry?.powerSource).toContain('estimated')
    expect(seen.throttled).toEqual(['throttling'])
    expect(seen.telemetry?.readings[0]?.powerW).toBeGreaterThan(0.5879)
    // The PMIC is asked every two seconds: too few readings for a mean.
    expect(seen.energy).toMatchObject({ measurable: false, reason: expect.stringMatching(/power readings of PMIC.* Measure for longer/) })
  })

  it('says what it looked for where nothing measures power', async () => {
    board('pi4')
    vi.stubEnv('PATH', join(root, 'nowhere'))
    const seen = await run(50)
    expect(seen.telemetry).toMatchObject({ powerSource: null })
    expect(seen.telemetry?.readings[0]).toMatchObject({ temperatureC: 48.312, powerW: null })
    expect(seen.energy).toMatchObject({ measurable: false, reason: expect.stringMatching(/No power sensor.*INA3221.*Raspberry Pi 5/) })
  })

  it('says so where rails are not the whole board', async () => {
    board('pi4')
    for (const [name, text] of Object.entries({ name: 'ina3221', in1_label: 'VDD_A', in1_input: '5000', curr1_input: '100' })) {
      put(`/sys/class/hwmon/hwmon0/${name}`, `${text}\n`)
    }
    expect((await run(50)).energy).toMatchObject({ measurable: false, reason: expect.stringContaining('VDD_A') })
  })

  it('is not started where a system has no such files', async () => {
    expect(await RunSampler.start(root, programs)).toBeNull()
    expect(await RunSampler.start('/', undefined)).toBeNull()
  })

  it('that fails costs the readings, not the run', async () => {
    board('pi4')
    const broken = { startTelemetry: () => new Worker('throw new Error("broken")', { eval: true }) }
    expect(await RunSampler.start(root, broken)).toBeNull()
  })

  it('that dies in the middle costs the readings, not the run', async () => {
    board('pi4')
    const ready = "postMessage({ kind: 'ready', railNames: [], power: null, asksTools: false })"
    const dying = `const { parentPort } = require('node:worker_threads'); parentPort.${ready}; parentPort.on('message', () => { throw new Error('dead') })`
    const dead: Worker[] = []
    const startTelemetry = () => {
      const worker = new Worker(dying, { eval: true })
      dead.push(worker)
      return worker
    }
    const sampler = await RunSampler.start(root, { startTelemetry })
    const [worker] = dead
    const gone = new Promise((resolve) => worker?.once('exit', resolve))
    sampler?.mark()
    await gone
    const part = { beginMs: sharedNowMs() - 200, endMs: sharedNowMs(), elapsedMs: 200, runs: 1 }
    expect(await sampler?.seen(part)).toMatchObject({ telemetry: null, energy: { measurable: false }, throttled: [], cpuMs: 0 })
  })

  it('stops waiting for the idle board when cancelled', async () => {
    board('orin')
    const sampler = await RunSampler.start(root, programs)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(sampler?.measureIdle(reporter, stop.signal)).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    sampler?.stop()
  })
})

describe('a benchmark', () => {
  const settings = (changes: Partial<BenchSettings>) => ({
    ...benchSettingsSchema.parse({ runs: 20, warmupRuns: 1, warmupSeconds: 0 }),
    ...changes,
  })
  const context = { reporter, signal: new AbortController().signal, edgesmithVersion: '1.2.3', programs }

  it('keeps readings and energy, is labelled by what held clocks down, and leaves no thread', async () => {
    board('orin')
    put('/sys/class/thermal/cooling_device0/type', 'devfreq-17000000.gpu\n')
    put('/sys/class/thermal/cooling_device0/cur_state', '3\n')
    put('/sys/class/thermal/cooling_device0/max_state', '10\n')
    const model = join(root, 'model.onnx')
    writeFileSync(
      model,
      linearModel('N', [
        [1, 2],
        [3, 4],
      ]),
    )
    const found = await benchmark(model, settings({ seconds: 2 }), { ...context, systemRoot: root })
    expect(benchResultSchema.parse(found)).toEqual(found)
    expect(found.telemetry?.readings.length).toBeGreaterThanOrEqual(3)
    expect(found.telemetry?.readings[0]?.atMs).toBeLessThan(500)
    if (!found.energy?.measurable) expect.fail(JSON.stringify(found.energy))
    expect(found.energy.meanW).toBeCloseTo(5.25, 9)
    expect(found.energy.netMj).toBeCloseTo(0, 9)
    expect(found.energy.grossMj).toBeCloseTo((5.25 * 1000) / found.throughputPerSecond, 6)
    expect(found.noise.label).toBe('throttled')
    expect(found.noise.reasons.join(' ')).toContain('Clocks were held down during the measurement: devfreq-17000000.gpu at 3 of 10.')
    expect(found.preflight).toContainEqual({ name: 'throttling', found: 'devfreq-17000000.gpu at 3 of 10', wanted: 'none', ok: false })
    expect(found.peakRssBytes).toBeGreaterThanOrEqual(found.idleRssBytes)
    await expect.poll(() => workers.at(-1)?.threadId).toBe(-1)
  })

  it('of this machine has readings and says why it has no energy, or has it', async () => {
    const model = join(root, 'model.onnx')
    writeFileSync(
      model,
      linearModel('N', [
        [1, 2],
        [3, 4],
      ]),
    )
    const found = await benchmark(model, settings({ runs: 50 }), context)
    expect(benchResultSchema.parse(found)).toEqual(found)
    expect(found.telemetry?.readings.length).toBeGreaterThan(0)
    expect(found.telemetry?.readings[0]?.memoryUsedBytes).toBeGreaterThan(0)
    expect(found.energy).not.toBeNull()
  })

  it('without programs has neither', async () => {
    const model = join(root, 'model.onnx')
    writeFileSync(
      model,
      linearModel('N', [
        [1, 2],
        [3, 4],
      ]),
    )
    const found = await benchmark(model, settings({}), { reporter, signal: context.signal, edgesmithVersion: '1.2.3' })
    expect([found.telemetry, found.energy]).toEqual([null, null])
  })
})
