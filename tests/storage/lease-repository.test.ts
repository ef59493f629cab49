import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { LeaseRepository } from '../../src/storage/lease-repository.ts'

let folder: string
let database: WorkspaceDatabase
const dead = new Set<string>()
const leasesOf = (owner: string) => new LeaseRepository(database, owner, (other) => !dead.has(other))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-leases-'))
  database = openDatabase(folder)
  dead.clear()
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an exclusive lease waits for everything before it, also of another process', () => {
  const window = leasesOf('window')
  const cli = leasesOf('cli')
  const shared = window.request('local', 'shared', 'optimize')
  const timed = cli.request('local', 'exclusive', 'bench')
  const later = window.request('local', 'shared', 'evaluate')
  expect(window.blocker('local', shared)).toBeUndefined()
  expect(cli.blocker('local', timed)).toBe('optimize')
  // It queued after the timed job: letting it pass would starve the timed one.
  expect(window.blocker('local', later)).toBe('bench')
  window.release(shared)
  expect(cli.blocker('local', timed)).toBeUndefined()
  cli.release(timed)
  expect(window.blocker('local', later)).toBeUndefined()
})

test('machines do not wait for each other', () => {
  const leases = leasesOf('window')
  leases.request('local', 'exclusive', 'a')
  expect(leases.blocker('192.0.2.7:22', leases.request('192.0.2.7:22', 'exclusive', 'b'))).toBeUndefined()
})

test('the lease of a dead process is dropped', () => {
  const ticket = leasesOf('window').request('local', 'exclusive', 'mine')
  void ticket
  const cli = leasesOf('cli')
  const own = cli.request('local', 'exclusive', 'other')
  expect(cli.blocker('local', own)).toBe('mine')
  dead.add('window')
  expect(cli.blocker('local', own)).toBeUndefined()
})

test('never two holders beside an exclusive one, and always someone who may go on', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ exclusive: fc.boolean(), release: fc.nat(20) }), { maxLength: 25 }), (moves) => {
      database.exec('delete from leases')
      const leases = leasesOf('window')
      const open: { ticket: number; exclusive: boolean }[] = []
      for (const { exclusive, release } of moves) {
        open.push({ ticket: leases.request('local', exclusive ? 'exclusive' : 'shared', 'job'), exclusive })
        const holders = open.filter(({ ticket }) => leases.blocker('local', ticket) === undefined)
        expect(holders.length).toBeGreaterThan(0)
        if (holders.some((holder) => holder.exclusive)) expect(holders.length).toBe(1)
        const gone = holders[release % holders.length]
        if (gone && release % 2 === 0) {
          leases.release(gone.ticket)
          open.splice(open.indexOf(gone), 1)
        }
      }
    }),
    { numRuns: 60 },
  )
})
