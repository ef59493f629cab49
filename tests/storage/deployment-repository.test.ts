import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Validation } from '../../src/contract/deployment.ts'
import { serviceSettingsSchema } from '../../src/contract/service.ts'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { DeploymentRepository } from '../../src/storage/deployment-repository.ts'
import { ValidationRepository } from '../../src/storage/validation-repository.ts'

/** Of the rows in the fixture: a model, a board and two deployments. */
const PREFIX = '7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad'
const MODEL = `${PREFIX}020`
const BOARD = `${PREFIX}010`
const release = '0123456789abcdef'
const settings = serviceSettingsSchema.parse({
  service: 'linear',
  host: '0.0.0.0',
  port: 41_234,
  network: { hosts: ['pi.local'] },
  apiKeys: [{ name: 'phone', sha256: 'ab'.repeat(32) }],
})

let folder: string
let database: WorkspaceDatabase
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-deployments-'))
  const old = new Database(join(folder, 'workspace.sqlite'))
  old.exec(readFileSync(join(import.meta.dirname, 'fixtures/workspace-v3.sql'), 'utf8'))
  old.close()
  database = openDatabase(folder)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('deployments', () => {
  const deployed = {
    id: `${PREFIX}0ff`,
    service: 'linear',
    deviceId: BOARD,
    modelId: MODEL,
    port: 50_000,
    preprocessing: {},
    release,
    settings,
    supervision: 'user-unit',
    survivesReboot: true,
    datasetId: '11111111-2222-4333-8444-555555555555',
    state: 'running',
    createdAt: '2026-05-06T07:08:09.000Z',
  } as const

  test('a release takes the place of the row of its service on that device, which keeps its id', () => {
    const repository = new DeploymentRepository(database)
    const stored = repository.put(deployed)
    expect(stored).toEqual({ ...deployed, id: `${PREFIX}080`, device: 'pi', model: 'linear' })
    expect(repository.find(BOARD, 'linear')).toEqual(stored)
    expect(repository.find('local', 'linear')).toMatchObject({ id: `${PREFIX}081`, release: null })
    expect(repository.find(BOARD, 'other')).toBeUndefined()
    expect(repository.list()).toHaveLength(2)
  })

  test('what a device says is kept, and it is known whether that was new', () => {
    const repository = new DeploymentRepository(database)
    const { id } = repository.put(deployed)
    expect(repository.see(id, { state: 'running', port: 50_000 })).toBe(false)
    expect(repository.see(id, { state: 'stopped', survivesReboot: false, supervision: 'cron', release: 'f'.repeat(16) })).toBe(true)
    expect(repository.get(id)).toMatchObject({
      state: 'stopped',
      survivesReboot: false,
      supervision: 'cron',
      release: 'f'.repeat(16),
      port: 50_000,
      settings,
    })
    repository.remove(id)
    expect(() => repository.get(id)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })
})

describe('validations', () => {
  const validation = (id: string, deploymentId: string, createdAt: string): Validation => ({
    id: `${PREFIX}${id}`,
    deploymentId,
    service: 'linear',
    deviceId: BOARD,
    device: 'pi',
    modelId: MODEL,
    model: 'linear',
    createdAt,
    passed: true,
    checks: [{ name: 'answers', passed: true, measured: '200', limit: '200' }],
    load: null,
    accuracy: null,
    warnings: [],
  })

  test('are listed newest first, of one deployment or of all, and stay when it is removed', () => {
    const repository = new ValidationRepository(database)
    const [older, newer, other] = [
      validation('0a1', `${PREFIX}080`, '2026-05-01T00:00:00.000Z'),
      validation('0a2', `${PREFIX}080`, '2026-05-02T00:00:00.000Z'),
      validation('0a3', `${PREFIX}081`, '2026-05-03T00:00:00.000Z'),
    ]
    for (const one of [newer, other, older]) repository.put(one, `${PREFIX}001`)
    expect(repository.list(`${PREFIX}080`)).toEqual([newer, older])
    expect(repository.list()).toEqual([other, newer, older])
    new DeploymentRepository(database).remove(`${PREFIX}080`)
    expect(repository.list(`${PREFIX}080`)).toEqual([newer, older])
  })
})
