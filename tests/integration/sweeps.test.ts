import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import { identityModel, linearModel, slowModel } from '../engine/measure/small-models.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
const models: Record<string, string> = {}

beforeAll(async () => {
  workspace = await openWorkspace()
  const files = { open: linearModel('N', [[1, 2]]), fixed: identityModel(2, [3]), slow: slowModel(256, 10) }
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(workspace.folder, `${name}.onnx`)
    await writeFile(path, bytes)
    models[name] = (await workspace.backend.call('models.import', { path })).id
  }
})
afterAll(() => workspace.close())

const quick = { runs: 70, warmupRuns: 2, warmupSeconds: 0 }
const target = (name: string) => ({ modelId: models[name] as string, deviceId: LOCAL_DEVICE_ID })

describe('sweep.start', () => {
  it('measures every combination once and keeps them together', async () => {
    const { sweepId, runs } = await workspace.result('sweep.start', {
      ...target('open'),
      settings: quick,
      batches: [1, 4, 4],
      threadCounts: [1, 2],
    })
    expect(runs.map(({ settings }) => [settings.batch, settings.threads])).toEqual([
      [1, 1],
      [1, 2],
      [4, 1],
      [4, 2],
    ])
    const stored = await workspace.backend.call('benchmarks.list', { modelId: models.open as string })
    expect(
      stored
        .filter((run) => run.sweepId === sweepId)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(runs.map(({ id }) => id).sort())
  })

  it('leaves out batches the model cannot take, says so, and goes on', async () => {
    const job = await workspace.job('sweep.start', { ...target('fixed'), settings: quick, batches: [1, 2, 8] })
    expect(job).toMatchObject({ state: 'succeeded', result: { runs: [{ settings: { batch: 2 } }] } })
    const log = (await workspace.backend.call('jobs.log', { id: job.id })).map(({ text }) => text)
    expect(log.filter((text) => text.startsWith('Left out'))).toEqual([
      'Left out batch 1, threads 1: The model only takes batch 2 (input "x" is [2,3]), asked for was batch 1.',
      'Left out batch 8, threads 1: The model only takes batch 2 (input "x" is [2,3]), asked for was batch 8.',
    ])
    const none = await workspace.job('sweep.start', { ...target('fixed'), settings: quick, batches: [1, 8] })
    expect(none).toMatchObject({ state: 'failed', error: { code: 'USAGE', details: { batch: 1, fixedBatch: 2 } } })
  })

  it('refuses a scenario that is not whole before anything is queued', async () => {
    for (const settings of [{ scenario: 'server' as const }, { rate: 5 }, { scenario: 'http' as const, streams: 2 }]) {
      await expect(workspace.backend.call('sweep.start', { ...target('open'), settings })).rejects.toMatchObject({ code: 'USAGE' })
      await expect(workspace.backend.call('bench.start', { ...target('open'), settings })).rejects.toMatchObject({ code: 'USAGE' })
    }
  })
})

describe('a stored benchmark', () => {
  it('is drawn over time from its own offsets', async () => {
    const run = await workspace.result('bench.start', {
      ...target('open'),
      settings: { ...quick, scenario: 'server', rate: 500, runs: 200 },
    })
    const series = await workspace.backend.call('benchmarks.series', { id: run.id, points: 50 })
    expect(series.samples).toBe(200)
    expect(series.offsetsMs).toHaveLength(50)
    expect(Math.max(...series.maxMs)).toBe(run.latencyMs.max)
    expect(Math.min(...series.minMs)).toBe(run.latencyMs.min)
    // 200 requests at 500 a second take 0.4 s, most of it waiting for the next one.
    expect(series.offsetsMs.at(-1)).toBeGreaterThan(200)
    await expect(workspace.backend.call('benchmarks.series', { id: models.open as string })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('cancelling', () => {
  it.each([
    { scenario: 'single' as const },
    { scenario: 'server' as const, rate: 50 },
    { scenario: 'offline' as const, streams: 2 },
    { scenario: 'http' as const, connections: 2 },
  ])('ends a benchmark of $scenario and stores nothing', async (settings) => {
    const before = (await workspace.backend.call('benchmarks.list', {})).length
    const { jobId } = await workspace.backend.call('bench.start', {
      ...target('slow'),
      settings: { ...settings, warmupRuns: 1, warmupSeconds: 0, seconds: 3600 },
    })
    const phase = async () => (await workspace.backend.call('jobs.get', { id: jobId })).progress?.phase
    await expect.poll(phase, { timeout: 55_000 }).toBe('measure')
    await workspace.backend.call('jobs.cancel', { id: jobId })
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'cancelled' })
    expect(await workspace.backend.call('benchmarks.list', {})).toHaveLength(before)
  })
})
