import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AnalysisRepository } from '../../src/storage/analysis-repository.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { DatasetRepository } from '../../src/storage/dataset-repository.ts'
import { DeploymentRepository } from '../../src/storage/deployment-repository.ts'
import { DeviceRepository } from '../../src/storage/device-repository.ts'
import { JobRepository } from '../../src/storage/job-repository.ts'
import { MeasurementRepository } from '../../src/storage/measurement-repository.ts'
import { migrations } from '../../src/storage/migrations.ts'
import { ModelRepository } from '../../src/storage/model-repository.ts'
import { ValidationRepository } from '../../src/storage/validation-repository.ts'

const PREFIX = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad'
const EVALUATION = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad040'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-database-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('openDatabase', () => {
  test('makes a new workspace at the newest version, and opens it again', () => {
    const first = openDatabase(join(folder, 'deep/er'))
    expect(first.pragma('user_version', { simple: true })).toBe(migrations.length)
    expect(first.pragma('journal_mode', { simple: true })).toBe('wal')
    first.close()
    const second = openDatabase(join(folder, 'deep/er'))
    expect(second.pragma('foreign_keys', { simple: true })).toBe(1)
    second.close()
  })

  // The fixture is a dump (sqlite3, .dump) of a workspace at version 1 with a device, two jobs, a model, a dataset, an evaluation and a benchmark.
  test('opens a stored database of version 1 and reads its rows', () => {
    const old = new Database(join(folder, 'workspace.sqlite'))
    old.exec(readFileSync(join(import.meta.dirname, 'fixtures/workspace-v1.sql'), 'utf8'))
    expect(old.pragma('user_version', { simple: true })).toBe(1)
    old.close()
    const database = openDatabase(folder)
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length)
    const [local, board] = new DeviceRepository(database).list()
    expect(local?.name).toBe('this-computer')
    expect(board).toMatchObject({
      name: 'pi',
      connection: { host: '192.0.2.7', port: 22, user: 'pi', auth: { method: 'key', keyPath: '/home/me/.ssh/id' } },
    })
    const jobs = new JobRepository(database, 'me')
    expect(jobs.list(10).map(({ state }) => state)).toEqual(['failed', 'succeeded'])
    expect(jobs.list(10)[0]?.error).toEqual({ code: 'DEVICE_UNREACHABLE', message: 'pi: refused' })
    expect(jobs.log('7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad001')).toEqual([{ at: '2026-01-02T03:04:05.000Z', text: 'quantizing' }])
    expect(database.pragma('foreign_key_check')).toEqual([])
    expect(new ModelRepository(database).list().map(({ name }) => name)).toEqual(['linear'])
    expect(new DatasetRepository(database).list()).toMatchObject([
      { name: 'six', report: { samples: 6, targets: null }, parentId: null, split: null },
    ])
    const measurements = new MeasurementRepository(database)
    expect(measurements.evaluations(undefined)).toMatchObject([
      {
        id: EVALUATION,
        task: 'classification',
        samples: 6,
        metrics: { accuracy: 4 / 6, top5: null },
        classification: null,
        regression: null,
        parity: null,
        datasetName: 'six',
        environment: { hostname: 'workbench' },
      },
    ])
    expect(measurements.evaluation(EVALUATION)).toEqual(measurements.evaluations(undefined)[0])
    expect(measurements.evaluationArrays(EVALUATION)).toEqual({
      predictions: Int32Array.of(0, 1, 2, 0, 1, 2),
      labels: Int32Array.of(0, 1, 2, 1, 1, 0),
    })
    const [benchmark] = measurements.benchmarks(undefined)
    expect(benchmark).toMatchObject({ settings: { scenario: 'single', runs: 30 }, samples: 30, sweepId: null, steady: null })
    const latencies = measurements.latencies(benchmark?.id ?? '')
    expect(latencies).toHaveLength(30)
    expect(Math.max(...latencies)).toBe(benchmark?.latencyMs.max)
    database.close()
  })

  // The fixture is a dump (sqlite3, .dump) of the workspace of version 1 after the program of version 2 had opened it, and stored a benchmark
  // of a sweep and an analysis in it.
  test('opens a stored database of version 2 and reads its rows', () => {
    const old = new Database(join(folder, 'workspace.sqlite'))
    old.exec(readFileSync(join(import.meta.dirname, 'fixtures/workspace-v2.sql'), 'utf8'))
    expect(old.pragma('user_version', { simple: true })).toBe(2)
    old.close()
    const database = openDatabase(folder)
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length)
    expect(database.pragma('foreign_key_check')).toEqual([])
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    const measurements = new MeasurementRepository(database)
    const [newer, older] = measurements.benchmarks(undefined)
    expect(newer).toMatchObject({ id: `${PREFIX}051`, sweepId: `${PREFIX}061`, steady: true, energy: null, tensorRt: null })
    expect(newer?.settings).toMatchObject({ runtime: 'onnxruntime' })
    expect(older).toMatchObject({ id: `${PREFIX}050`, sweepId: null, energy: null })
    for (const benchmark of [newer, older]) expect(measurements.telemetry(benchmark?.id ?? '')).toBeNull()
    expect(measurements.offsets(`${PREFIX}051`)?.slice(0, 3)).toEqual(Float64Array.of(0, 0.25, 0.5))
    expect(measurements.offsets(`${PREFIX}050`)).toBeNull()
    const analyses = new AnalysisRepository(database)
    expect(analyses.list({}).map(({ id, kind }) => [id, kind])).toEqual([[`${PREFIX}070`, 'slowdown']])
    expect(analyses.get(`${PREFIX}070`)).toMatchObject({ kind: 'slowdown', result: { buildMs: 2 } })
    database.close()
  })

  // The fixture is a dump (sqlite3, .dump) of the workspace of version 2 after the program of version 3 had opened it, and stored two
  // deployments in it.
  test('opens a stored database of version 3 and reads its rows', () => {
    const old = new Database(join(folder, 'workspace.sqlite'))
    old.exec(readFileSync(join(import.meta.dirname, 'fixtures/workspace-v3.sql'), 'utf8'))
    expect(old.pragma('user_version', { simple: true })).toBe(3)
    old.close()
    const database = openDatabase(folder)
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length)
    expect(database.pragma('foreign_key_check')).toEqual([])
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    const none = { release: null, settings: null, supervision: null, survivesReboot: null, datasetId: null }
    expect(new DeploymentRepository(database).list()).toMatchObject([
      { id: `${PREFIX}081`, service: 'linear', device: 'this-computer', port: 41_235, preprocessing: {}, state: 'stopped', ...none },
      { id: `${PREFIX}080`, service: 'linear', device: 'pi', port: 41_234, preprocessing: { scale: 0.5 }, state: 'running', ...none },
    ])
    expect(new ValidationRepository(database).list()).toEqual([])
    database.close()
  })

  test('refuses a workspace of a newer version and leaves it as it is', () => {
    const newer = new Database(join(folder, 'workspace.sqlite'))
    newer.pragma('user_version = 999')
    newer.close()
    expect(() => openDatabase(folder)).toThrow(
      expect.objectContaining({ code: 'WORKSPACE_INVALID', message: expect.stringContaining('version 999') }),
    )
    const again = new Database(join(folder, 'workspace.sqlite'))
    expect(again.pragma('user_version', { simple: true })).toBe(999)
    again.close()
  })

  test('names a file that is no database', () => {
    writeFileSync(join(folder, 'workspace.sqlite'), 'this is not a database, but long enough to look like a header of one'.repeat(40))
    expect(() => openDatabase(folder)).toThrow(expect.objectContaining({ code: 'WORKSPACE_INVALID' }))
  })

  test('says when the folder cannot be written', () => {
    const blocked = join(folder, 'file')
    writeFileSync(blocked, '')
    expect(() => openDatabase(join(blocked, 'workspace'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_WRITABLE' }))
    // Node's recursive mkdir never returns here.
    if (process.platform === 'linux') {
      expect(() => openDatabase('/proc/edgesmith/workspace')).toThrow(expect.objectContaining({ code: 'FILE_NOT_WRITABLE' }))
    }
    if (process.getuid?.() !== 0) {
      chmodSync(folder, 0o500)
      expect(() => openDatabase(join(folder, 'inside'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_WRITABLE' }))
      chmodSync(folder, 0o700)
    }
  })
})
