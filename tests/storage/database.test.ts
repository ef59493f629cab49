import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { DeviceRepository } from '../../src/storage/device-repository.ts'
import { JobRepository } from '../../src/storage/job-repository.ts'
import { migrations } from '../../src/storage/migrations.ts'

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

  // The fixture is a dump (sqlite3, .dump) of a workspace at version 1 with a device and two jobs.
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
