import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { DetachedRunEntry } from '../../src/contract/detached-run.ts'
import { isLeftover, isStrange, ownRunOwner, wantRun } from '../../src/remote/run-owner.ts'

const week = 7 * 24 * 3600

describe('runs found on a device', async () => {
  const own = await ownRunOwner('/workspace/known_hosts')
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const run = (changes: Partial<DetachedRunEntry>): DetachedRunEntry => ({ id: 'a', owner: own, running: true, ageSeconds: 5, ...changes })
  const stranger = { ...own, hostId: 'another' }

  it('belong to a workspace of a computer', async () => {
    expect(await ownRunOwner('/workspace/known_hosts')).toEqual(own)
    expect((await ownRunOwner('/elsewhere/known_hosts')).hostId).not.toBe(own.hostId)
    expect(own.hostId).toMatch(/^[0-9a-f]{32}$/)
  })

  it.each([
    ['one this process does not want', run({}), true],
    ['one of a process that died', run({ owner: { ...own, pid: dead } }), true],
    ['one of another process that lives', run({ owner: { ...own, pid: process.ppid } }), false],
    ['one of another computer, though its process number is free here', run({ owner: { ...stranger, pid: dead } }), false],
    ['one that does not say', run({ owner: null }), false],
    ['one that ended and was not fetched for a week', run({ owner: stranger, running: false, ageSeconds: week + 1 }), true],
    ['one that runs for more than a week', run({ owner: stranger, ageSeconds: week + 1 }), false],
    ['one that ended and may still be fetched', run({ owner: stranger, running: false }), false],
  ])('are cleared away or not: %s', (_, found, cleared) => {
    expect(isLeftover(found, own)).toBe(cleared)
  })

  it('are left alone while this process wants them', () => {
    const release = wantRun('a')
    expect(isLeftover(run({}), own)).toBe(false)
    release()
    expect(isLeftover(run({}), own)).toBe(true)
  })

  it('disturb when they run for somebody else', () => {
    expect(isStrange(run({ owner: stranger }), own)).toBe(true)
    expect(isStrange(run({ owner: null }), own)).toBe(true)
    expect(isStrange(run({ owner: stranger, running: false }), own)).toBe(false)
    expect(isStrange(run({ owner: { ...own, pid: process.ppid } }), own)).toBe(false)
  })
})
