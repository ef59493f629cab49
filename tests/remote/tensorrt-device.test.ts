import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../../scripts/setup/agent-bundle.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import type { DeviceSession } from '../../src/remote/device-session.ts'
import { installTrtexec, trtexecCalls } from '../devices/trtexec-stand-in.ts'
import { eventually, type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter, repository } from './stand-in-agent.ts'

/** TensorRT through SSH: the real agent on test device A, whose trtexec is a stand-in. */
describe('TensorRT on a device', () => {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  let folder: string
  let bin: string
  let harnessed: HarnessedDevice
  let session: DeviceSession
  let model: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-trt-device-'))
    chmodSync(folder, 0o755)
    bin = join(folder, 'bin')
    installTrtexec(bin, { version: '10.3' })
    // The device's user writes down its calls there.
    chmodSync(bin, 0o777)
    await bundleAgent(repository, join(folder, 'agent'))
    harnessed = await startHarnessedDevice({ path: `${bin}:/usr/bin:/bin` })
    session = await harnessed.open({
      bundle: (wanted) =>
        ensureAgentBundle(wanted, {
          agentFolder: join(folder, 'agent'),
          onnxRuntimeFolder: join(repository, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
          cacheFolder: cacheDirectory(),
          version: '0.0.0-test',
          nodePaths: { [architecture]: process.execPath },
        }),
    })
    await session.prepare(recordingReporter())
    const path = join(repository, 'models/fashion-cnn.onnx')
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    const stored = await session.store([{ path, sha256, sizeBytes: statSync(path).size }], recordingReporter())
    model = stored.get(sha256) ?? expect.fail('not stored')
  })
  afterAll(async () => {
    session.close()
    await harnessed.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const bench = (signal?: AbortSignal) => {
    const settings = { runtime: 'tensorrt', runs: 50, warmupRuns: 5, warmupSeconds: 0 } as const
    const reporter = recordingReporter()
    const result = session.runAgent({ command: 'bench', model, settings, enginesFolder: session.enginesFolder }, reporter, signal)
    return { reporter, result }
  }
  const engines = () => readdirSync(join(harnessed.device.home, '.edgesmith/engines')).filter((name) => name.endsWith('.engine'))

  it('builds the engine there, keeps it, and answers every sample', async () => {
    const first = bench()
    const found = await first.result
    expect(found.latenciesMs).toHaveLength(50)
    expect(found.tensorRt).toMatchObject({ version: '10.3.2', gpu: 'Orin', buildSeconds: 1.5 })
    expect(found.settings.runtime).toBe('tensorrt')
    expect(first.reporter.lines.some((line) => line.includes('Building a TensorRT 10.3.2 engine'))).toBe(true)
    expect(engines()).toHaveLength(1)
    expect((await bench().result).tensorRt?.buildSeconds).toBeNull()
    expect(engines()).toHaveLength(1)
  })

  it('ends trtexec when the job is cancelled', async () => {
    installTrtexec(bin, { version: '10.13', buildSeconds: 15 })
    const before = trtexecCalls(bin).length
    const abort = new AbortController()
    const { result } = bench(abort.signal)
    result.catch(() => undefined)
    await eventually('trtexec builds', () => trtexecCalls(bin).length > before)
    const pid = trtexecCalls(bin).at(-1)?.pid as number
    abort.abort()
    await expect(result).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await eventually('trtexec is gone', () => !existsSync(`/proc/${pid}`))
  })

  it('says what failed there', async () => {
    installTrtexec(bin, { version: '10.3', fail: 'timing' })
    await expect(bench().result).rejects.toMatchObject({
      code: 'TENSORRT_FAILED',
      message: expect.stringContaining('illegal memory access'),
    })
  })

  it('takes the engines away with everything else', async () => {
    await session.removeEverything()
    expect(readdirSync(harnessed.device.home)).toEqual(['.ssh'])
  })
})
