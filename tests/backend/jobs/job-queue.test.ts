import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { markInterruptedJobs } from '../../../src/backend/jobs/interrupted-jobs.ts'
import { type JobContext, JobQueue } from '../../../src/backend/jobs/job-queue.ts'
import { processIdentity } from '../../../src/backend/process-identity.ts'
import type { BackendEvent } from '../../../src/contract/backend-event.ts'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import { openDatabase, type WorkspaceDatabase } from '../../../src/storage/database.ts'
import { JobRepository } from '../../../src/storage/job-repository.ts'
import { LeaseRepository } from '../../../src/storage/lease-repository.ts'

let folder: string
let database: WorkspaceDatabase
let events: BackendEvent[]
const open: { queue: JobQueue; database: WorkspaceDatabase }[] = []

/** A queue as a process of its own would have it: another connection to the same workspace. */
function process_(owner: string) {
  const connection = openDatabase(folder)
  const jobs = new JobRepository(connection, owner)
  const queue = new JobQueue(jobs, new LeaseRepository(connection, owner, () => true), (event) => events.push(event))
  open.push({ queue, database: connection })
  return { queue, jobs }
}

/** Runs until cancelled. */
function forever({ signal }: JobContext): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-jobs-'))
  database = openDatabase(folder)
  events = []
})
afterEach(async () => {
  for (const entry of open.splice(0)) {
    await entry.queue.close()
    entry.database.close()
  }
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('JobQueue', () => {
  test('stores result, progress and log, and announces every change', async () => {
    const { queue, jobs } = process_('window')
    const id = queue.start({
      kind: 'test',
      title: 'a test',
      run: async (context) => {
        context.log('first line')
        context.progress({ phase: 'counting', done: 1, total: 3, unit: 'steps' })
        context.progress({ phase: 'counting', done: 3, total: 3, unit: 'steps' })
        return { answer: 42 }
      },
    })
    const job = await queue.wait(id)
    expect(job).toMatchObject({ state: 'succeeded', result: { answer: 42 }, progress: { done: 3 }, error: null, foreign: false })
    expect(jobs.log(id).map(({ text }) => text)).toEqual(['first line'])
    const states = events.flatMap((event) => (event.type === 'job' ? [event.job.state] : []))
    expect(states[0]).toBe('queued')
    expect(states).toContain('running')
    expect(states.at(-1)).toBe('succeeded')
  })

  test('a failure keeps its code and hint; a bug becomes INTERNAL with its stack in the log', async () => {
    const { queue, jobs } = process_('window')
    const coded = await queue.wait(
      queue.start({
        kind: 'test',
        title: 'coded',
        run: () => Promise.reject(new EdgesmithError('NO_SPACE', 'The disk is full', { hint: 'Free some' })),
      }),
    )
    expect(coded).toMatchObject({ state: 'failed', error: { code: 'NO_SPACE', message: 'The disk is full', hint: 'Free some' } })
    const bug = await queue.wait(
      queue.start({ kind: 'test', title: 'bug', run: () => Promise.reject(new TypeError('x is not a function')) }),
    )
    expect(bug.error?.code).toBe('INTERNAL')
    expect(jobs.log(bug.id).some(({ text }) => text.includes('TypeError'))).toBe(true)
  })

  test('cancels a running job, and one that still waits for its machine', async () => {
    const { queue } = process_('window')
    const machine = { key: 'local', mode: 'exclusive' } as const
    const running = queue.start({ kind: 'test', title: 'timed', machine, run: forever })
    const waiting = queue.start({ kind: 'test', title: 'later', machine, run: forever })
    await expect.poll(() => queue.active).toBe(2)
    await expect
      .poll(() => events.some((event) => event.type === 'job' && event.job.id === waiting && event.job.waitingFor?.includes('timed')))
      .toBe(true)
    queue.cancel(waiting)
    expect((await queue.wait(waiting)).state).toBe('cancelled')
    queue.cancel(running)
    expect(await queue.wait(running)).toMatchObject({ state: 'cancelled', error: { code: 'JOB_CANCELLED' } })
  })

  test('what ends well although it was cancelled counts as cancelled, unless it cannot be taken back', async () => {
    const { queue } = process_('window')
    const run = async ({ signal, jobId }: JobContext) => {
      queue.cancel(jobId)
      return { aborted: signal.aborted }
    }
    const usual = queue.start({ kind: 'test', title: 'usual', run })
    expect(await queue.wait(usual)).toMatchObject({ state: 'cancelled', error: { code: 'JOB_CANCELLED' } })
    const done = queue.start({ kind: 'test', title: 'done', endsLate: true, run })
    expect(await queue.wait(done)).toMatchObject({ state: 'succeeded', result: { aborted: true } })
    const stop = async ({ signal, jobId }: JobContext) => {
      queue.cancel(jobId)
      signal.throwIfAborted()
    }
    const stopped = queue.start({ kind: 'test', title: 'stopped', endsLate: true, run: stop })
    expect((await queue.wait(stopped)).state).toBe('cancelled')
  })

  test('a timed job of one process waits for a timed job of another, and either can cancel the other', async () => {
    const window = process_('window')
    const cli = process_('cli')
    const machine = { key: 'local', mode: 'exclusive' } as const
    let overlap = 0
    let inside = 0
    const timed = async () => {
      overlap = Math.max(overlap, ++inside)
      await sleep(60)
      inside--
    }
    const ids = [window, cli, window, cli].map(({ queue }) => ({
      queue,
      id: queue.start({ kind: 'test', title: 't', machine, run: timed }),
    }))
    for (const { queue, id } of ids) expect((await queue.wait(id)).state).toBe('succeeded')
    expect(overlap).toBe(1)

    const id = window.queue.start({ kind: 'test', title: 'from the window', machine, run: forever })
    await expect.poll(() => cli.jobs.get(id).state).toBe('running')
    expect(cli.jobs.get(id).foreign).toBe(true)
    cli.queue.cancel(id)
    expect((await cli.queue.wait(id)).state).toBe('cancelled')
  })

  test('a job takes machines by turns, says what it waits for, and gives them back when the work fails', async () => {
    const { queue } = process_('window')
    const machine = { key: 'local', mode: 'exclusive' } as const
    let release = () => {}
    const before = queue.start({ kind: 'test', title: 'before', machine, run: () => new Promise<void>((done) => (release = done)) })
    const done: string[] = []
    const turns = queue.start({
      kind: 'test',
      title: 'by turns',
      run: async (context) => {
        await context.onMachine(machine, () => Promise.reject(new Error('no'))).catch(() => done.push('failed'))
        await context.onMachine({ key: 'board', mode: 'exclusive' }, async () => done.push('board'))
        await context.onMachine(machine, async () => done.push('again'))
        return done
      },
    })
    await expect
      .poll(() => events.some((event) => event.type === 'job' && event.job.id === turns && event.job.waitingFor?.includes('before')))
      .toBe(true)
    release()
    expect((await queue.wait(before)).state).toBe('succeeded')
    expect(await queue.wait(turns)).toMatchObject({ state: 'succeeded', result: ['failed', 'board', 'again'], waitingFor: null })
    expect((await queue.wait(queue.start({ kind: 'test', title: 'after', machine, run: async () => 'free' }))).result).toBe('free')
  })

  test('one job holds many machines at once, also more than there may be jobs', async () => {
    const { queue } = process_('window')
    const keys = ['a', 'b', 'c', 'd', 'e']
    let inside = 0
    let opened = () => {}
    const allInside = new Promise<void>((resolve) => (opened = resolve))
    const id = queue.start({
      kind: 'test',
      title: 'many',
      run: (context) =>
        Promise.all(
          keys.map((key) =>
            context.onMachine({ key, mode: 'exclusive' }, async () => {
              if (++inside === keys.length) opened()
              await allInside
              return key
            }),
          ),
        ),
    })
    expect(await queue.wait(id)).toMatchObject({ state: 'succeeded', result: keys })
    // All slots are free again.
    const machine = { key: 'a', mode: 'exclusive' } as const
    expect((await queue.wait(queue.start({ kind: 'test', title: 'after', machine, run: async () => 'free' }))).result).toBe('free')
  })

  test('cancels a job that waits for its next machine', async () => {
    const { queue } = process_('window')
    const machine = { key: 'local', mode: 'exclusive' } as const
    const holder = queue.start({ kind: 'test', title: 'holder', machine, run: forever })
    const waiting = queue.start({ kind: 'test', title: 'waiting', run: (context) => context.onMachine(machine, async () => 'never') })
    await expect
      .poll(() => events.some((event) => event.type === 'job' && event.job.id === waiting && event.job.waitingFor?.includes('holder')))
      .toBe(true)
    queue.cancel(waiting)
    expect((await queue.wait(waiting)).state).toBe('cancelled')
    queue.cancel(holder)
    expect((await queue.wait(holder)).state).toBe('cancelled')
  })
})

test('jobs of a dead process are marked interrupted, those of living ones are left alone', () => {
  const gone = new JobRepository(database, 'boot:999999999:1')
  const living = new JobRepository(database, processIdentity())
  gone.add({ id: 'dead', kind: 'test', title: 'dead', createdAt: new Date().toISOString() })
  gone.start('dead', new Date().toISOString())
  living.add({ id: 'alive', kind: 'test', title: 'alive', createdAt: new Date().toISOString() })
  expect(markInterruptedJobs(living, '/nowhere/engine.js')).toEqual(['dead'])
  expect(living.get('dead')).toMatchObject({ state: 'failed', error: { code: 'JOB_INTERRUPTED' } })
  expect(living.get('alive').state).toBe('queued')
})
