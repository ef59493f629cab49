import { spawnSync } from 'node:child_process'
import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withProcessLock } from '../../scripts/setup/process-lock.mjs'
import './quiet-progress.ts'
import { temporaryFolder } from './temporary-folder.ts'

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid

test('one after the other, and the lock is gone afterwards', async () => {
  const lock = join(temporaryFolder(), 'locks/.lock')
  const events: string[] = []
  const work = (name: string) => async () => {
    events.push(`${name} begins`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    events.push(`${name} ends`)
  }
  await Promise.all([withProcessLock(lock, work('a')), withProcessLock(lock, work('b'))])
  expect(events).toHaveLength(4)
  expect(events[1]).toBe(events[0]?.replace('begins', 'ends'))
  expect(existsSync(lock)).toBe(false)
})

test('the lock is gone after a failure too', async () => {
  const lock = join(temporaryFolder(), '.lock')
  await expect(withProcessLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(lock)).toBe(false)
})

test("takes over a dead process's lock", async () => {
  const lock = join(temporaryFolder(), '.lock')
  writeFileSync(lock, JSON.stringify({ pid: deadPid(), identity: '' }))
  expect(await withProcessLock(lock, async () => 'mine', { waitMs: 0 })).toBe('mine')
})

test.runIf(process.platform === 'linux')('takes over the lock of a process whose number another one has now', async () => {
  const lock = join(temporaryFolder(), '.lock')
  writeFileSync(lock, JSON.stringify({ pid: process.pid, identity: 'another boot:1' }))
  expect(await withProcessLock(lock, async () => 'mine', { waitMs: 0 })).toBe('mine')
})

test('takes over a lock that was cut off while being written, once it is old', async () => {
  const lock = join(temporaryFolder(), '.lock')
  writeFileSync(lock, '{"pi')
  await expect(withProcessLock(lock, async () => 'mine', { waitMs: 0 })).rejects.toMatchObject({ code: 'LOCKED' })
  const anHourAgo = Date.now() / 1000 - 3600
  utimesSync(lock, anHourAgo, anHourAgo)
  expect(await withProcessLock(lock, async () => 'mine', { waitMs: 0 })).toBe('mine')
})

test('names the process that does not finish', async () => {
  const lock = join(temporaryFolder(), '.lock')
  writeFileSync(lock, JSON.stringify({ pid: process.ppid, identity: '' }))
  const attempt = withProcessLock(lock, async () => 'mine', { waitMs: 0 })
  await expect(attempt).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining(String(process.ppid)) })
  expect(existsSync(lock)).toBe(true)
})
