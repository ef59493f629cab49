import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Progress } from '../../../src/contract/job.ts'
import { type BenchSettings, benchSettingsSchema } from '../../../src/contract/measurement.ts'
import { MachineWatch } from '../../../src/engine/measure/machine-watch.ts'
import { measureStreams } from '../../../src/engine/measure/offline-scenario.ts'
import { linearModel, slowModel } from './small-models.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-offline-'))
  await writeFile(join(folder, 'linear.onnx'), linearModel('N', [[1, 2]]))
  await writeFile(join(folder, 'slow.onnx'), slowModel(256, 4))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs with real threads; `onProgress` may abort. */
async function offline(
  model: string,
  changes: Partial<BenchSettings>,
  onProgress: (progress: Progress) => void = () => {},
  signal = new AbortController().signal,
) {
  const threads: Promise<unknown>[] = []
  const settings = benchSettingsSchema.parse({ scenario: 'offline', warmupRuns: 2, warmupSeconds: 0, ...changes })
  const watch = new MachineWatch(
    '/',
    {
      governor: undefined,
      driver: undefined,
      allowedClock: undefined,
      temperatureC: undefined,
      throttleCount: undefined,
      firmwareBits: undefined,
      cooling: undefined,
    },
    0,
  )
  const measured = measureStreams(
    join(folder, model),
    settings,
    { reporter: { progress: onProgress, log: () => {} }, signal, watch },
    {
      startStream: (options) => {
        const worker = new Worker(new URL('stream-worker-entry.ts', import.meta.url), { ...options, execArgv: [] })
        threads.push(new Promise((resolve) => worker.once('exit', resolve)))
        return worker
      },
      startTelemetry: () => {
        throw new Error('no telemetry here')
      },
      startServer: () => Promise.reject(new Error('no server here')),
    },
  )
  return { measured, threads }
}

describe('measureStreams', () => {
  it('shares the runs, in the order they began', async () => {
    const { measured, threads } = await offline('linear.onnx', { streams: 2, runs: 501 })
    const found = await measured
    expect(found.latenciesMs).toHaveLength(501)
    expect([...found.offsetsMs]).toEqual([...found.offsetsMs].sort((a, b) => a - b))
    const end = found.offsetsMs.at(-1) as number
    // The last run to begin need not be the last to end, so the whole takes at least as long as until then.
    expect(found.elapsedMs).toBeGreaterThan(end)
    expect(found.warmUp).toEqual({ runs: 4, steady: null })
    expect(await Promise.all(threads)).toEqual([0, 0])
  })

  it('leaves no thread behind when it is cancelled', async () => {
    for (const phase of ['load', 'warm-up', 'measure']) {
      const cancel = new AbortController()
      const onProgress = (progress: Progress) => {
        if (progress.phase === phase && (phase !== 'load' || progress.done === 1)) cancel.abort()
      }
      const { measured, threads } = await offline(
        'slow.onnx',
        { streams: 2, seconds: 3600, warmupSeconds: phase === 'warm-up' ? 60 : 0 },
        onProgress,
        cancel.signal,
      )
      await expect(measured, phase).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
      expect(await Promise.all(threads), phase).toEqual(threads.map(() => 0))
    }
  })
})
