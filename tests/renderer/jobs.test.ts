import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../src/contract/job.ts'
import { fetchJobs, receiveJob, withJobs } from '../../src/renderer/backend/job-cache.ts'
import { jobResult } from '../../src/renderer/backend/job-result.ts'
import { makeQueryClient } from '../../src/renderer/backend/query-client.ts'
import { progressShare, progressText } from '../../src/renderer/components/progress-text.ts'

function job(change: Partial<Job>): Job {
  return {
    id: 'a',
    kind: 'optimize.start',
    title: 'Make int8-static of net',
    state: 'running',
    progress: null,
    error: null,
    result: null,
    waitingFor: null,
    createdAt: '2026-03-12T14:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    foreign: false,
    ...change,
  }
}

describe('withJobs', () => {
  it('replaces, adds, and keeps the newest first', () => {
    const list = [job({ id: 'b', createdAt: '2026-03-12T14:01:00.000Z' }), job({ id: 'a' })]
    const merged = withJobs(list, [job({ id: 'a', state: 'succeeded' }), job({ id: 'c', createdAt: '2026-03-12T14:02:00.000Z' })])
    expect(merged.map(({ id, state }) => `${id} ${state}`)).toEqual(['c running', 'b running', 'a succeeded'])
  })
})

describe('fetchJobs', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('does not lose an event that came while the list was being fetched', async () => {
    let answer: (value: unknown) => void = () => {}
    const pending = new Promise((resolve) => {
      answer = resolve
    })
    vi.stubGlobal('window', { edgesmith: { call: () => pending } })
    const fetched = fetchJobs()
    receiveJob(makeQueryClient(), job({ state: 'succeeded' }))
    answer({ ok: true, output: [job({ state: 'running' })] })
    expect((await fetched).map(({ state }) => state)).toEqual(['succeeded'])
  })

  it('throws the report of a refusal', async () => {
    vi.stubGlobal('window', { edgesmith: { call: async () => ({ ok: false, error: { code: 'BACKEND_DIED', message: 'gone' } }) } })
    await expect(fetchJobs()).rejects.toMatchObject({ report: { code: 'BACKEND_DIED' } })
  })
})

describe('jobResult', () => {
  const pushed = { sentBytes: 1, sentFiles: 1, totalBytes: 1, durationMs: 1, agentVersion: '0.1.0' }

  it('answers the result of a succeeded job of that kind only', () => {
    const done = job({ kind: 'devices.prepare', state: 'succeeded', result: pushed })
    expect(jobResult(done, 'devices.prepare')).toEqual(pushed)
    expect(jobResult(done, 'bench.start')).toBeUndefined()
    expect(jobResult({ ...done, state: 'running' }, 'devices.prepare')).toBeUndefined()
    expect(jobResult({ ...done, result: { other: true } }, 'devices.prepare')).toBeUndefined()
    expect(jobResult(undefined, 'devices.prepare')).toBeUndefined()
  })
})

describe('progressText', () => {
  it('says where a job stands', () => {
    expect(progressText(job({ state: 'queued' }))).toBe('Waiting for its turn')
    expect(progressText(job({ state: 'queued', waitingFor: 'raspberry-pi-5' }))).toBe('Waiting for raspberry-pi-5')
    expect(progressText(job({}))).toBe('Starting')
    expect(progressText(job({ progress: { phase: 'calibrating', done: 120, total: 256, unit: 'samples' } }))).toBe(
      'calibrating · 120 of 256 samples',
    )
    expect(progressText(job({ progress: { phase: 'sending', done: 1_500_000, total: 58_000_000, unit: 'bytes' } }))).toBe(
      'sending · 1.50 MB of 58.0 MB',
    )
    expect(progressText(job({ progress: { phase: 'starting', done: 0, total: null, unit: '' } }))).toBe('starting')
    expect(progressText(job({ progress: { phase: 'reading', done: 3, total: 4, unit: '' } }))).toBe('reading · 3 of 4')
  })

  it('has a share only where the total is known', () => {
    expect(progressShare(job({ progress: { phase: '', done: 1, total: 4, unit: '' } }))).toBe(0.25)
    expect(progressShare(job({ progress: { phase: '', done: 9, total: 4, unit: '' } }))).toBe(1)
    expect(progressShare(job({ progress: { phase: '', done: 1, total: null, unit: '' } }))).toBeNull()
    expect(progressShare(job({ progress: { phase: '', done: 0, total: 0, unit: '' } }))).toBeNull()
  })
})
