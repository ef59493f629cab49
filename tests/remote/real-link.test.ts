import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../../scripts/setup/agent-bundle.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import type { DeviceFile } from '../../src/remote/device-session.ts'
import type { SshSession } from '../../src/remote/ssh-session.ts'
import { type CutProxy, startCutProxy } from '../devices/cut-proxy.ts'
import { eventually, type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter, repository } from './stand-in-agent.ts'

/** The real agent measures the sample model on a device whose link breaks again and again. */
describe('a benchmark whose link breaks', () => {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  let folder: string
  let harnessed: HarnessedDevice
  let proxy: CutProxy
  let session: SshSession
  let model: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-link-'))
    await bundleAgent(repository, join(folder, 'agent'))
    harnessed = await startHarnessedDevice()
    proxy = await startCutProxy(harnessed.device.port)
    const bundle = (wanted: 'x64' | 'arm64') =>
      ensureAgentBundle(wanted, {
        agentFolder: join(folder, 'agent'),
        onnxRuntimeFolder: join(repository, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
        cacheFolder: cacheDirectory(),
        version: '0.0.0-test',
        nodePaths: { [architecture]: process.execPath },
      })
    const clock = {
      nowMs: () => Date.now(),
      wait: (ms: number, _stay: boolean, signal: AbortSignal) => delay(Math.min(ms, 50), undefined, { signal }),
    }
    session = await harnessed.open({ bundle, port: proxy.port, clock, keepAliveMs: 200 })
    await session.prepare(recordingReporter())
    const path = join(repository, 'models', 'fashion-cnn.onnx')
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    const file: DeviceFile = { path, sizeBytes: statSync(path).size, sha256 }
    model = (await session.store([file], recordingReporter())).get(sha256) ?? expect.fail('not stored')
  })
  afterAll(async () => {
    session.close()
    await proxy.stop()
    await harnessed.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const settings = { runs: 10_000, warmupRuns: 5, warmupSeconds: 0 }
  const breaks = [
    { what: 'cut five times', brokenBy: () => proxy.cut() },
    {
      what: 'frozen for longer than the keep-alive, five times',
      brokenBy: async () => {
        proxy.freeze()
        await delay(900)
        proxy.cut()
      },
    },
  ]

  it.each(breaks)('has every sample, and one result: $what', async ({ brokenBy }) => {
    const reporter = recordingReporter()
    const job = session.runAgent({ command: 'bench', model, settings }, reporter)
    job.catch(() => undefined)
    const measured = () => reporter.steps.filter(({ unit, total }) => unit === 'runs' && total === settings.runs).at(-1)?.done ?? 0
    // Where in the run is left to the machine, whose speed is different each time.
    for (let breaking = 0; breaking < 5 && measured() < settings.runs; breaking++) {
      const before = measured()
      await Promise.race([eventually('more samples', () => measured() > before, 30_000), job])
      await brokenBy()
    }
    const result = await job
    expect(result.samples).toBe(settings.runs)
    expect(result.latenciesMs).toHaveLength(settings.runs)
    expect(result.offsetsMs).toHaveLength(settings.runs)
    expect(result.latenciesMs.every((latency) => latency > 0)).toBe(true)
    expect(isSorted(result.offsetsMs ?? [])).toBe(true)
    expect(isSorted(reporter.steps.filter((step) => step.unit === 'runs' && step.total === settings.runs).map(({ done }) => done))).toBe(
      true,
    )
    expect(reporter.lines.some((text) => / broke; the measurement goes on over there/.test(text))).toBe(true)
    await eventually('nothing of it stays', () => readdirSync(join(harnessed.device.home, '.edgesmith', 'jobs')).length === 0)
  })
})

function isSorted(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value, index, all) => index === 0 || value >= (all[index - 1] ?? 0))
}
