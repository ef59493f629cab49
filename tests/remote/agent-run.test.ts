import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceSession } from '../../src/remote/device-session.ts'
import { type AnySession, eventually, isAlive, startAnySession, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter, standInBench } from './stand-in-agent.ts'

/** Asks the stand-in for what the last part of the path says. */
function bench(session: DeviceSession, mode: string, reporter = recordingReporter(), signal?: AbortSignal) {
  return session.runAgent({ command: 'bench', model: `/models/${mode}`, settings: {} }, reporter, signal)
}

describe.each(['ssh', 'local'] as const)('one agent command (%s)', (kind) => {
  let any: AnySession
  beforeAll(async () => {
    any = await startAnySession(kind)
  })
  afterAll(() => any.stop())

  it('answers the result with its typed arrays, and passes progress and log on in order', async () => {
    const reporter = recordingReporter()
    expect(await bench(any.session, 'work', reporter)).toEqual(standInBench)
    const measuring = reporter.steps.filter(({ phase }) => phase === 'measuring')
    expect(measuring.map(({ done }) => done)).toEqual([0, 1, 2, 3])
    expect(measuring[0]).toEqual({ phase: 'measuring', done: 0, total: 3, unit: 'runs' })
    // Control characters of the device do not reach a terminal.
    expect(reporter.lines).toContain('half way')
    expect(reporter.lines).toContain('a word on stderr')
  })

  it('runs several at once', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, () => bench(any.session, 'work')))
    expect(results).toEqual(Array.from({ length: 12 }, () => standInBench))
  })

  it.each(['hang', 'stubborn'])('cancels one that does "%s": it is gone when the error comes', async (mode) => {
    const reporter = recordingReporter()
    const abort = new AbortController()
    const job = bench(any.session, mode, reporter, abort.signal)
    job.catch(() => undefined)
    const started = () => reporter.steps.find(({ phase }) => phase === 'measuring')
    await eventually('progress', () => started() !== undefined)
    const pid = started()?.done ?? 0
    expect(isAlive(pid)).toBe(true)
    abort.abort()
    await expect(job).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(isAlive(pid)).toBe(false)
    expect(await bench(any.session, 'work')).toEqual(standInBench)
  })

  it('does not start when it was cancelled before', async () => {
    await expect(bench(any.session, 'hang', recordingReporter(), AbortSignal.abort())).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })

  it('tells of an agent that was killed, with its last words', async () => {
    await expect(bench(any.session, 'crash')).rejects.toMatchObject({
      code: 'ENGINE_DIED',
      details: { signal: 'SIGKILL', said: ['last words'] },
    })
    await expect(bench(any.session, 'exit')).rejects.toMatchObject({ code: 'ENGINE_DIED', details: { exitCode: 7, said: ['out of luck'] } })
  })

  it('passes on what the agent reports, also a code from a newer one', async () => {
    await expect(bench(any.session, 'error')).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: 'no such op',
      hint: 'another opset',
    })
    await expect(bench(any.session, 'unknown-error')).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED', message: 'something new' })
  })

  it.each(['garbage', 'wrong-result', 'second-hello'])('refuses an answer outside the protocol: %s', async (mode) => {
    await expect(bench(any.session, mode)).rejects.toMatchObject({ code: 'DEVICE_PROTOCOL' })
  })
})

describe('many agents on one device', () => {
  it('can be cancelled though they take all sessions there are', async () => {
    const harnessed = await startHarnessedDevice()
    const session = await harnessed.open()
    await session.prepare(recordingReporter())
    const abort = new AbortController()
    const reporters = Array.from({ length: 10 }, () => recordingReporter())
    const jobs = reporters.map((reporter) => bench(session, 'stubborn', reporter, abort.signal))
    const settled = Promise.allSettled(jobs)
    const running = () => harnessed.device.processes().filter(({ command }) => /agent\.cjs work \S+$/.test(command))
    await eventually('eight run, two wait', () => running().length === 8)
    abort.abort()
    for (const outcome of await settled) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'JOB_CANCELLED' } })
    expect(running()).toEqual([])
    session.close()
    await harnessed.stop()
  })
})

describe('an agent command when this side closes the session', () => {
  it('fails with CONNECTION_LOST, the agent ends, and nothing of it stays', async () => {
    const harnessed = await startHarnessedDevice()
    const session = await harnessed.open()
    const reporter = recordingReporter()
    const job = bench(session, 'hang', reporter)
    job.catch(() => undefined)
    const started = () => reporter.steps.find(({ phase }) => phase === 'measuring')
    await eventually('progress', () => started() !== undefined)
    session.close()
    await expect(job).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect(session.closed).toBe(true)
    await eventually('the agent is gone', () => !isAlive(started()?.done ?? 0))
    await eventually('its folder is gone', () => readdirSync(join(harnessed.device.home, '.edgesmith', 'jobs')).length === 0)
    await expect(bench(session, 'work')).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await harnessed.stop()
  })
})
