import { describe, expect, it } from 'vitest'
import type { ReadyDevice } from '../../src/backend/devices/agent-work.ts'
import type { JobContext } from '../../src/backend/jobs/job-queue.ts'
import { measureInterleaved, poolBlocks } from '../../src/backend/use-cases/interleaved-benchmark.ts'
import { type BenchResult, benchSettingsSchema } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
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
