import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BenchResult, benchSettingsSchema } from '../../src/contract/measurement.ts'
import { latencyStatistics } from '../../src/core/statistics/latency-statistics.ts'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { MeasurementRepository } from '../../src/storage/measurement-repository.ts'

const MODEL = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad020'
const SWEEP = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad0cc'

let folder: string
let database: WorkspaceDatabase
let measurements: MeasurementRepository
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-benchmarks-'))
  // A workspace with a model and a benchmark made by version 1.
  const old = new Database(join(folder, 'workspace.sqlite'))
  old.exec(readFileSync(join(import.meta.dirname, 'fixtures/workspace-v1.sql'), 'utf8'))
  old.close()
  database = openDatabase(folder)
  measurements = new MeasurementRepository(database)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

function result(): BenchResult {
  const [old] = measurements.benchmarks(undefined)
  if (!old) throw new Error('the fixture has a benchmark')
  const latenciesMs = Float32Array.of(1.5, 2.5, 1.25)
  return {
    settings: benchSettingsSchema.parse({ scenario: 'server', rate: 100 }),
    latenciesMs,
    offsetsMs: Float64Array.of(0, 12.000000001, 1e7),
    latencyMs: latencyStatistics(latenciesMs),
    throughputPerSecond: 100,
    loadMs: 3,
    firstInferenceMs: 2,
    warmupRuns: 10,
    steady: true,
    outlierShare: 0,
    noise: { label: 'noisy', reasons: ['Noisy.'] },
    preflight: [{ name: 'governor', found: 'powersave', wanted: 'another', ok: false }],
    load: {
      offeredPerSecond: 100,
      answeredPerSecond: 99,
      serviceMs: latencyStatistics(latenciesMs),
      longestQueue: 2,
      overloaded: false,
      errors: 0,
    },
    cpuMsPerInference: 1,
    peakRssBytes: 1e8,
    idleRssBytes: 5e7,
    steadyRssBytes: 9e7,
    memoryGrowthBytes: -4096,
    samples: 3,
    environment: old.environment,
    telemetry: null,
    energy: null,
    tensorRt: null,
    warnings: [],
  }
}

const key = (id: string, sweepId?: string) => ({
  id,
  jobId: '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad002',
  modelId: MODEL,
  deviceId: 'local',
  comparisonId: null,
  createdAt: '2026-02-03T00:00:00.000Z',
  ...(sweepId !== undefined && { sweepId }),
})

test('a benchmark comes back as it was stored, its samples apart and to the last bit', () => {
  const { latenciesMs, offsetsMs, telemetry: _telemetry, ...rest } = result()
  const alone = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad0a1'
  const added = measurements.addBenchmark(key(alone), result())
  expect(added).toEqual({ ...rest, ...key(alone), sweepId: null })
  expect(measurements.benchmark(alone)).toEqual(added)
  expect(measurements.latencies(alone)).toEqual(latenciesMs)
  expect(measurements.offsets(alone)).toEqual(offsetsMs)
  const swept = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad0a2'
  expect(measurements.addBenchmark(key(swept, SWEEP), result()).sweepId).toBe(SWEEP)
  expect(database.prepare('select id from benchmarks where sweep_id = ?').pluck().all(SWEEP)).toEqual([swept])
})

test('a benchmark of version 1 has no offsets', () => {
  const [old] = measurements.benchmarks(undefined)
  expect(measurements.offsets(old?.id ?? '')).toBeNull()
  expect(old).toMatchObject({ noise: { label: 'unknown', reasons: [] }, preflight: [], load: null, outlierShare: null })
})
