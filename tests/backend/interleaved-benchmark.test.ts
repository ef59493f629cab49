import { describe, expect, it } from 'vitest'
import type { ReadyDevice } from '../../src/backend/devices/agent-work.ts'
import type { JobContext } from '../../src/backend/jobs/job-queue.ts'
import { measureInterleaved, poolBlocks } from '../../src/backend/use-cases/interleaved-benchmark.ts'
import { type BenchResult, benchSettingsSchema, type TensorRtRun } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
import type { Energy, TelemetryReading } from '../../src/contract/telemetry.ts'
import { latencyStatistics } from '../../src/core/statistics/latency-statistics.ts'
import { comparison } from './report-fixture.ts'

const settings = benchSettingsSchema.parse({ scenario: 'server', rate: 100, batch: 4 })

function block(latencies: readonly number[], overloaded: boolean): BenchResult {
  const latenciesMs = Float32Array.from(latencies)
  const latencyMs = latencyStatistics(latenciesMs)
  return {
    settings,
    latenciesMs,
    offsetsMs: Float64Array.from(latencies, (_, index) => index * 10),
    latencyMs,
    throughputPerSecond: 400,
    loadMs: 10,
    firstInferenceMs: 2,
    warmupRuns: 5,
    steady: null,
    outlierShare: null,
    noise: { label: 'quiet', reasons: [] },
    preflight: [],
    load: { offeredPerSecond: 100, answeredPerSecond: 100, serviceMs: latencyMs, longestQueue: 0, overloaded, errors: 0 },
    cpuMsPerInference: 1,
    peakRssBytes: 50e6,
    idleRssBytes: 40e6,
    steadyRssBytes: 45e6,
    memoryGrowthBytes: 1e6,
    samples: latencies.length,
    environment: comparison().environment,
    telemetry: null,
    energy: null,
    tensorRt: null,
    warnings: [],
  }
}

describe('poolBlocks', () => {
  it('keeps every sample in order and puts the offsets of blocks behind each other', () => {
    const pooled = poolBlocks([block([1, 2], false), block([3, 4, 5], false)], settings)
    expect([...pooled.latenciesMs]).toEqual([1, 2, 3, 4, 5])
    expect([...pooled.offsetsMs]).toEqual([0, 10, 12, 22, 32])
    expect(pooled.throughputPerSecond).toBeCloseTo(400, 9)
    expect(pooled.warnings.join('\n')).not.toContain('could be answered')
  })

  it('says in how many blocks more requests arrived than could be answered', () => {
    const { warnings } = poolBlocks([block([1, 2], true), block([3, 4], false)], settings)
    expect(warnings[0]).toMatch(/^In 1 of 2 blocks more requests arrived than could be answered/)
  })

  it('takes parts of a TensorRT latency from all blocks, and the build from the block that built', () => {
    const engine = (computeMs: number, buildSeconds: number | null, warnings: string[]): TensorRtRun => ({
      version: '8.5.2',
      gpu: 'Orin',
      jetPack: '5.1.2',
      trtexec: '/usr/src/tensorrt/bin/trtexec',
      options: ['--fp16'],
      engineBytes: 1000,
      buildSeconds,
      warnings,
      computeMs,
      copyInMs: 0.1,
      copyOutMs: null,
    })
    const blocks = [engine(3, null, ['a']), engine(1, 90, ['a', 'b']), engine(2, null, [])]
    const { tensorRt } = poolBlocks(
      blocks.map((one) => ({ ...block([1, 2], false), tensorRt: one })),
      settings,
    )
    expect(tensorRt).toEqual({ ...engine(2, 90, ['a', 'b']), copyInMs: 0.1 })
    expect(poolBlocks([block([1], false)], settings).tensorRt).toBeNull()
  })

  it('says once how busy the machine was, with the worst label', () => {
    const noisy = (share: number): BenchResult => {
      const sentence = `Noisy: other programs used ${share} % of the processors just before the measurement (a calm machine stays below 10 %).`
      return { ...block([1, 2], false), noise: { label: 'noisy', reasons: [sentence] }, warnings: [sentence] }
    }
    const { noise, warnings } = poolBlocks([noisy(30), block([1, 2], false), noisy(70)], settings)
    const once = 'Noisy: other programs used up to 70 % of the processors in 2 of 3 blocks (a calm machine stays below 10 %).'
    expect(noise).toEqual({ label: 'noisy', reasons: [once] })
    expect(warnings.filter((warning) => warning.startsWith('Noisy'))).toEqual([once])
  })
})

describe('telemetry and energy of blocks', () => {
  const reading = (atMs: number, throttled: string[] = []): TelemetryReading => ({
    atMs,
    temperatureC: 50,
    clockMhz: null,
    allowedClock: null,
    cpuLoad: null,
    memoryUsedBytes: null,
    powerW: 5,
    gpuLoad: null,
    gpuClockMhz: null,
    throttled,
  })
  const energy = (grossMj: number, netMj: number, meanW: number, idleW: number): Energy => ({
    measurable: true,
    grossMj,
    netMj,
    meanW,
    idleW,
    readings: 4,
    source: 'INA3221 VDD_IN',
    estimated: false,
  })

  it('readings are put behind each other like the samples', () => {
    const watched = (latencies: readonly number[], readings: TelemetryReading[]): BenchResult => ({
      ...block(latencies, false),
      telemetry: { readings, powerSource: 'INA3221 VDD_IN' },
    })
    const pooled = poolBlocks(
      [watched([1, 2], [reading(0), reading(9)]), block([3], false), watched([4, 5], [reading(1, ['heat'])])],
      settings,
    )
    // The first block lasts 12 ms (its last run begins at 10 and takes 2), the second 3.
    expect(pooled.telemetry?.readings.map(({ atMs }) => atMs)).toEqual([0, 9, 16])
    expect(pooled.telemetry?.readings[2]?.throttled).toEqual(['heat'])
    expect(pooled.telemetry?.powerSource).toBe('INA3221 VDD_IN')
    expect([...pooled.offsetsMs]).toEqual([0, 10, 12, 15, 25])
    expect(poolBlocks([block([1, 2], false)], settings)).toMatchObject({ telemetry: null, energy: null })
    const many = watched(
      [1, 2],
      Array.from({ length: 500 }, (_, index) => reading(index / 100)),
    )
    expect(poolBlocks([many, many], settings).telemetry?.readings).toHaveLength(600)
  })

  it('energy is weighted by runs, power by time, and a block without counts in neither', () => {
    const three = { ...block([1, 1, 1], false), throughputPerSecond: 300, energy: energy(30, 20, 6, 2) }
    const one = { ...block([1], false), throughputPerSecond: 50, energy: energy(50, 10, 10, 8) }
    const unknown: BenchResult = { ...block([1, 1], false), energy: { measurable: false, reason: 'too short' } }
    const pooled = poolBlocks([unknown, three, one], settings).energy
    if (!pooled?.measurable) expect.fail('not measurable')
    expect(pooled.grossMj).toBeCloseTo((3 * 30 + 50) / 4, 9)
    expect(pooled.netMj).toBeCloseTo((3 * 20 + 10) / 4, 9)
    // 3/300 s and 1/50 s.
    expect(pooled.meanW).toBeCloseTo((6 * 0.01 + 10 * 0.02) / 0.03, 9)
    expect(pooled.readings).toBe(8)
    expect(poolBlocks([unknown, unknown], settings).energy).toEqual({ measurable: false, reason: 'too short' })
  })
})

describe('measureInterleaved', () => {
  const models = ['a', 'b'].map((name) => ({ name })) as unknown as Model[]
  const context = { signal: new AbortController().signal, progress: () => {}, log: () => {} } as unknown as JobContext
  const order: string[] = []
  const device = {
    modelPath: ({ name }: Model) => name,
    session: {
      runAgent: async ({ model }: { model: string }) => {
        order.push(model)
        return block([1, 2], false)
      },
    },
  } as unknown as ReadyDevice

  it('alternates, and goes on until it is enough or the most is reached', async () => {
    order.length = 0
    const asked: number[] = []
    const isEnough = (blocks: readonly (readonly BenchResult[])[]) => {
      asked.push(blocks[0]?.length ?? 0)
      return asked.length === 3
    }
    const found = await measureInterleaved(device, models, settings, 2, context, { most: 10, isEnough })
    expect(found.blocks.map((own) => own.length)).toEqual([4, 4])
    expect(asked).toEqual([2, 3, 4])
    expect(order.join('')).toBe('abbaabba')
    const limited = await measureInterleaved(device, models, settings, 2, context, { most: 5, isEnough: () => false })
    expect(limited.blocks.map((own) => own.length)).toEqual([5, 5])
  })

  it('takes as many rounds as asked without that', async () => {
    expect((await measureInterleaved(device, models, settings, 3, context)).blocks.map((own) => own.length)).toEqual([3, 3])
  })
})
