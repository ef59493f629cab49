import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Progress } from '../../../src/contract/job.ts'
import { type BenchSettings, benchResultSchema, benchSettingsSchema } from '../../../src/contract/measurement.ts'
import { latencyStatistics } from '../../../src/core/statistics/latency-statistics.ts'
import { outlierShare } from '../../../src/core/statistics/outliers.ts'
import { benchmark, type MeasureContext } from '../../../src/engine/measure/benchmark.ts'
import { identityModel, linearModel, lookUpModel, oneNodeModel, slowModel } from './small-models.ts'

let folder: string
const paths: Record<string, string> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-bench-'))
  const models = {
    linear: linearModel('N', [
      [1, 2],
      [3, 4],
    ]),
    fixed: identityModel(2, [3]),
    slow: slowModel(256, 4),
    text: oneNodeModel('Identity', { type: 'string', shape: ['N'] }, { type: 'string', shape: ['N'] }),
    // Made-up indices are 1: loads, and fails in every run.
    failing: lookUpModel(1),
    broken: new Uint8Array([8, 8, 18, 3, 97]),
  }
  for (const [name, bytes] of Object.entries(models)) {
    paths[name] = join(folder, `${name}.onnx`)
    await writeFile(paths[name], bytes)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function settings(changes: Partial<BenchSettings> = {}): BenchSettings {
  return { ...benchSettingsSchema.parse({ runs: 100, warmupRuns: 5, warmupSeconds: 0 }), ...changes }
}

function context(changes: Partial<MeasureContext> = {}): MeasureContext {
  return {
    reporter: { progress: () => {}, log: () => {} },
    signal: new AbortController().signal,
    edgesmithVersion: '1.2.3',
    ...changes,
  }
}

describe('benchmark', () => {
  it('measures a model and keeps every sample', async () => {
    const phases: string[] = []
    const reporter = { progress: ({ phase }: Progress) => void phases.push(phase), log: () => {} }
    const found = await benchmark(paths.linear as string, settings({ batch: 4, warmupRuns: 30, runs: 400 }), context({ reporter }))
    expect(benchResultSchema.parse(found)).toEqual(found)
    expect(found.latenciesMs).toHaveLength(400)
    expect(found.samples).toBe(400)
    expect(found.latencyMs).toEqual(latencyStatistics(found.latenciesMs))
    expect(found.offsetsMs).toHaveLength(400)
    // Each run began after the one before had ended.
    for (let i = 1; i < 400; i++) {
      const ended = (found.offsetsMs[i - 1] as number) + (found.latenciesMs[i - 1] as number)
      expect(found.offsetsMs[i] as number).toBeGreaterThan(ended - 1e-3)
    }
    expect(found.offsetsMs[0]).toBe(0)
    expect(found).toMatchObject({ warmupRuns: 30, steady: null, load: null })
    expect(found.outlierShare).toBe(outlierShare(found.latenciesMs))
    expect(found.steadyRssBytes).toBeGreaterThan(0)
    expect(found.peakRssBytes).toBeGreaterThanOrEqual(found.steadyRssBytes ?? Number.NaN)
    // The loop's own time is part of the measured time, so it cannot be less than the runs took.
    const seconds = found.latenciesMs.reduce((sum, ms) => sum + ms, 0) / 1000
    expect(found.throughputPerSecond).toBeLessThanOrEqual((4 * 400) / seconds + 1e-6)
    expect(found.throughputPerSecond).toBeGreaterThan(0)
    expect(found.cpuMsPerInference).toBeGreaterThan(0)
    expect(found.loadMs).toBeGreaterThan(0)
    expect(found.firstInferenceMs).toBeGreaterThan(0)
    expect(found.peakRssBytes).toBeGreaterThanOrEqual(found.idleRssBytes)
    expect(found.environment.edgesmithVersion).toBe('1.2.3')
    expect([...new Set(phases)]).toEqual(['preflight', 'load', 'measure'])
  })

  it('warms up until both conditions are met', async () => {
    const found = await benchmark(paths.linear as string, settings({ warmupRuns: 10, warmupSeconds: 0.3, runs: 10 }), context())
    // 0.3 s hold far more than ten runs of this model.
    expect(found.warmupRuns).toBeGreaterThan(10)
    const none = await benchmark(paths.linear as string, settings({ warmupRuns: 0, warmupSeconds: 0, runs: 1 }), context())
    expect([none.warmupRuns, none.samples]).toEqual([0, 1])
  })

  it('says whether latencies had settled', async () => {
    const found = await benchmark(paths.linear as string, settings({ warmupSeconds: 1.5, runs: 10 }), context())
    expect(found.steady).toEqual(expect.any(Boolean))
    const unsteady = found.warnings.some((warning) => warning.startsWith('Latencies had not settled'))
    expect(unsteady).toBe(found.steady === false)
  })

  it('answers requests at random moments', async () => {
    const found = await benchmark(paths.linear as string, settings({ scenario: 'server', rate: 2000, seconds: 0.2 }), context())
    expect(benchResultSchema.parse(found)).toEqual(found)
    expect(found.load).toMatchObject({ offeredPerSecond: 2000, errors: 0 })
    expect(found.load?.serviceMs.mean).toBeLessThanOrEqual(found.latencyMs.mean)
    expect(found.samples).toBeGreaterThan(300)
    // Far more than the model can do: measured, and labelled.
    const overloaded = await benchmark(paths.slow as string, settings({ scenario: 'server', rate: 100_000, runs: 60 }), context())
    expect(overloaded.load).toMatchObject({ overloaded: true })
  })

  it('measures for a time instead of a number of runs', async () => {
    const timed = await benchmark(paths.linear as string, settings({ seconds: 0.3, runs: 7 }), context())
    expect(timed.samples).toBeGreaterThan(7)
    const once = await benchmark(paths.linear as string, settings({ seconds: 0 }), context())
    expect(once.samples).toBe(1)
  })

  it('says what few samples cannot show', async () => {
    const found = await benchmark(paths.linear as string, settings({ runs: 60 }), context())
    expect(found.warnings).toContain('60 runs are too few for p99 (needs 299).')
    expect([found.latencyMs.p95 === null, found.latencyMs.p99]).toEqual([false, null])
    const enough = await benchmark(paths.linear as string, settings({ runs: 299 }), context())
    expect(enough.warnings.filter((warning) => warning.includes('too few'))).toEqual([])
  })

  it('labels a busy machine', async () => {
    // A machine whose counters say that half of the time since start was spent by others: the counters do not move between two
    // readings of a file, so the file grows while the model is timed.
    const root = await mkdtemp(join(tmpdir(), 'edgesmith-busy-'))
    const stat = join(root, 'proc/stat')
    await mkdir(join(root, 'proc'), { recursive: true })
    let busy = 0
    const advance = () => {
      busy += 50
      writeFileSync(stat, `cpu  ${busy} 0 0 ${busy} 0 0 0 0 0 0\ncpu0 0 0 0 0\n`)
    }
    advance()
    const timer = setInterval(advance, 20)
    try {
      const found = await benchmark(paths.slow as string, settings({ seconds: 0.7 }), context({ systemRoot: root }))
      expect(found.warnings[0]).toMatch(/^Noisy: other programs used \d+ % of the processors just before the measurement/)
      expect(found.noise).toEqual({ label: 'noisy', reasons: found.warnings.filter((warning) => warning.startsWith('Noisy')) })
      expect(found.preflight).toContainEqual({
        name: 'other programs',
        found: expect.stringMatching(/^\d+ % of the processors$/),
        wanted: 'at most 10 %',
        ok: false,
      })
    } finally {
      clearInterval(timer)
      await rm(root, { recursive: true, force: true })
    }
  })

  it('stops when cancelled, in every phase', async () => {
    for (const phase of ['preflight', 'load', 'warm-up', 'measure']) {
      const cancel = new AbortController()
      const reporter = {
        progress: (progress: Progress) => {
          if (progress.phase === phase) cancel.abort()
        },
        log: () => {},
      }
      const job = benchmark(
        paths.slow as string,
        settings({ seconds: 3600, warmupSeconds: phase === 'warm-up' ? 60 : 0.2 }),
        context({ reporter, signal: cancel.signal }),
      )
      await expect(job, phase).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    }
  })

  it('gives coded errors for models and settings that do not go together', async () => {
    const failures: [string, Partial<BenchSettings>, string][] = [
      ['fixed', { batch: 1 }, 'USAGE'],
      ['text', {}, 'USAGE'],
      ['failing', {}, 'MODEL_RUN_FAILED'],
      ['broken', {}, 'MODEL_LOAD_FAILED'],
      ['linear', { scenario: 'server' }, 'USAGE'],
      ['linear', { rate: 3 }, 'USAGE'],
      ['linear', { connections: 3 }, 'USAGE'],
    ]
    for (const [name, changes, code] of failures) {
      await expect(benchmark(paths[name] as string, settings(changes), context()), name).rejects.toMatchObject({ code })
    }
    await expect(benchmark(join(folder, 'missing.onnx'), settings(), context())).rejects.toMatchObject({ code: 'ENOENT' })
    const fixed = await benchmark(paths.fixed as string, settings({ batch: 2, runs: 1 }), context())
    expect(fixed.samples).toBe(1)
  })
})
