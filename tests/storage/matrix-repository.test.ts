import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { MatrixRepository } from '../../src/storage/matrix-repository.ts'
import { matrix } from '../backend/report-document-fixture.ts'

let folder: string
let database: WorkspaceDatabase

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-matrices-'))
  database = openDatabase(folder)
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

describe('MatrixRepository', () => {
  it('gives back what it was given, newest first', () => {
    const matrices = new MatrixRepository(database)
    const newer = { ...matrix(), id: '00000000-0000-4000-8000-000000000999', createdAt: '2026-01-01T00:00:00.000Z' }
    matrices.add(newer)
    matrices.add(matrix())
    expect(matrices.list()).toEqual([newer, matrix()])
    expect(matrices.get(matrix().id)).toEqual(matrix())
  })

  it('names what is missing or damaged', () => {
    const matrices = new MatrixRepository(database)
    expect(() => matrices.get(matrix().id)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    database.prepare(`insert into matrices (id, job_id, created_at, matrix) values ('x', 'y', 'z', '{"id": 1}')`).run()
    expect(() => matrices.list()).toThrow(
      expect.objectContaining({ code: 'WORKSPACE_INVALID', message: expect.stringContaining('matrix x') }),
    )
  })
})
