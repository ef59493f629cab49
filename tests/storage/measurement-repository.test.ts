import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EvaluateResult } from '../../src/contract/evaluation.ts'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { MeasurementRepository } from '../../src/storage/measurement-repository.ts'
import { ModelRepository } from '../../src/storage/model-repository.ts'

const MODEL = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad020'
const DATASET = { id: '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad030', name: 'six' }
const ID = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad0aa'

let folder: string
let database: WorkspaceDatabase
let measurements: MeasurementRepository
/** A workspace with a model, a dataset, and an evaluation whose environment is used again. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-measurements-'))
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

function result(changes: Partial<EvaluateResult> = {}): EvaluateResult {
  const environment = measurements.evaluations(undefined)[0]?.environment
  if (!environment) throw new Error('the fixture has an evaluation')
  return {
    task: 'parity',
    samples: 2,
    metrics: { sqnrDb: 41.5, cosine: 0.999, maxAbsDiff: 0.1, agreement: null, agreementCi95: null },
    classification: null,
    regression: null,
    parity: { baselineModelId: MODEL, outputs: [] },
    perSample: { sampleSqnrDb: Float32Array.of(300, 41.5), predictions: Int32Array.of(-1, 7) },
    durationMs: 12,
    environment,
    ...changes,
  }
}

const key = (id: string) => ({
  id,
  jobId: '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad002',
  modelId: MODEL,
  deviceId: 'local',
  comparisonId: null,
  createdAt: '2026-02-03T00:00:00.000Z',
})

test('an evaluation comes back as it was stored, its arrays apart', () => {
  const { perSample, ...rest } = result()
  const added = measurements.addEvaluation(key(ID), DATASET, result())
  expect(added).toEqual({ ...rest, ...key(ID), datasetId: DATASET.id, datasetName: DATASET.name })
  expect(measurements.evaluation(ID)).toEqual(added)
  expect(measurements.evaluations(MODEL)[0]).toEqual(added)
  expect(measurements.evaluationArrays(ID)).toEqual(perSample)
})

test('an evaluation is stored whole or not at all, also within another transaction', () => {
  expect(() => measurements.addEvaluation(key(ID), { id: 'no dataset', name: 'x' }, result())).toThrow(/FOREIGN KEY/)
  expect(() =>
    measurements.transaction(() => {
      measurements.addEvaluation(key(ID), DATASET, result())
      throw new Error('the comparison failed')
    }),
  ).toThrow('the comparison failed')
  expect(() => measurements.evaluation(ID)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  expect(measurements.evaluationArrays(ID)).toEqual({})
})

test('arrays go with the model they belong to', () => {
  measurements.addEvaluation(key(ID), DATASET, result())
  new ModelRepository(database).remove(MODEL)
  expect(measurements.evaluations(undefined)).toEqual([])
  expect(database.prepare('select count(*) from evaluation_arrays').pluck().get()).toBe(0)
})

test('telemetry of a benchmark is kept apart from it', () => {
  const [stored] = measurements.benchmarks(undefined)
  if (!stored) throw new Error('the fixture has a benchmark')
  const {
    id: _id,
    jobId: _job,
    modelId: _model,
    deviceId: _device,
    comparisonId: _comparison,
    sweepId: _sweep,
    createdAt: _at,
    ...rest
  } = stored
  const reading = {
    atMs: 0,
    temperatureC: 61.5,
    clockMhz: 2400,
    allowedClock: 1,
    cpuLoad: 0.25,
    memoryUsedBytes: 2e9,
    powerW: 5.25,
    gpuLoad: null,
    gpuClockMhz: null,
    throttled: ['cpufreq-cpu0 at 4 of 28'],
  }
  const telemetry = { readings: [reading, { ...reading, atMs: 500 }], powerSource: 'INA3221 VDD_IN' }
  const energy = {
    measurable: true,
    grossMj: 30,
    netMj: 20,
    meanW: 6,
    idleW: 2,
    readings: 5,
    source: 'INA3221 VDD_IN',
    estimated: false,
  } as const
  const samples = { latenciesMs: Float32Array.of(1, 2), offsetsMs: Float64Array.of(0, 1) }
  const added = measurements.addBenchmark(key(ID), { ...rest, ...samples, telemetry, energy })
  expect(added).not.toHaveProperty('telemetry')
  expect(measurements.benchmark(ID)).toEqual(added)
  expect(added.energy).toEqual(energy)
  expect(measurements.telemetry(ID)).toEqual(telemetry)
  expect(measurements.telemetry(stored.id)).toBeNull()
  expect(() => measurements.telemetry('7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad0ff')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
})
