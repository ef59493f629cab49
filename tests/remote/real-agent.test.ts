import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../../scripts/setup/agent-bundle.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import type { JobReporter } from '../../src/contract/job.ts'
import { ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import type { AgentNeeds, DeviceFile, DeviceSession } from '../../src/remote/device-session.ts'
import { openLocalSession } from '../../src/remote/local-session.ts'
import { eventually, type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'
import { scalingOrder } from './service-harness.ts'
import { recordingReporter, repository } from './stand-in-agent.ts'

/** The real thing: Node, ONNX Runtime and the built agent go over SSH, and the sample model is measured and served there. */
describe('the real agent', () => {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  let folder: string
  let harnessed: HarnessedDevice
  let remote: DeviceSession
  let local: DeviceSession

  const bundle = (wanted: 'x64' | 'arm64', _reporter?: JobReporter, _signal?: AbortSignal, needs?: AgentNeeds) => {
    const sources = {
      agentFolder: join(folder, 'agent'),
      onnxRuntimeFolder: join(repository, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
      imageLibraryFolder: join(repository, 'node_modules/@img'),
      // The cache of everything else here: compressing Node takes seconds, and is done once.
      cacheFolder: cacheDirectory(),
      version: '0.0.0-test',
      nodePaths: { [architecture]: process.execPath },
    }
    return ensureAgentBundle(wanted, sources, undefined, undefined, needs)
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-real-'))
    await bundleAgent(repository, join(folder, 'agent'))
    harnessed = await startHarnessedDevice()
    remote = await harnessed.open({ bundle })
    local = openLocalSession({ root: join(folder, 'root'), agentFolder: join(folder, 'agent'), nodePath: process.execPath })
  })
  afterAll(async () => {
    await local.removeEverything()
    remote.close()
    await harnessed.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const sample = (name: string): DeviceFile => {
    const path = join(repository, 'models', name)
    return { path, sizeBytes: statSync(path).size, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
  }

  it('arrives whole, runs on a machine without Node, and is sent once', async () => {
    const first = await remote.prepare(recordingReporter())
    expect(first.sentFiles).toBe(9)
    expect(first.totalBytes).toBeGreaterThan(100_000_000)
    // Compressed: less than half of it.
    expect(first.sentBytes).toBeLessThan(first.totalBytes / 2)
    const version = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
    expect(first.agentVersion).toBe(version.version)
    expect(await remote.prepare(recordingReporter())).toMatchObject({ sentBytes: 0 })
  })

  it('sends little when only our code changed', async () => {
    appendFileSync(join(folder, 'agent', 'agent.cjs'), '\n// changed\n')
    const second = await remote.prepare(recordingReporter())
    expect(second.sentFiles).toBe(3)
    expect(second.sentBytes).toBeLessThan(1_000_000)
  })

  it('is mended when one of its files was changed, and knows it itself', async () => {
    const runtimes = join(harnessed.device.home, '.edgesmith', 'runtime')
    // The version before was cleared away.
    expect(readdirSync(runtimes)).toHaveLength(1)
    const library = join(runtimes, readdirSync(runtimes)[0] ?? '', 'libonnxruntime.so.1')
    const original = readFileSync(library)
    const changed = Buffer.from(original)
    changed.writeUInt8(changed.readUInt8(20_000_000) ^ 1, 20_000_000)

    writeFileSync(library, changed)
    const { publicKey } = await bundle(architecture)
    await expect(remote.runAgent({ command: 'self-test', publicKey }, recordingReporter())).rejects.toMatchObject({
      code: 'AGENT_UNTRUSTED',
      message: expect.stringContaining('libonnxruntime.so.1 has another content than was signed'),
    })
    const next = await harnessed.open({ bundle })
    expect(await next.prepare(recordingReporter())).toMatchObject({ sentFiles: 1 })
    expect(readFileSync(library).equals(original)).toBe(true)
    expect(await next.runAgent({ command: 'self-test', publicKey }, recordingReporter())).toMatchObject({ maxAbsDiff: 0 })
    next.close()

    // In the place of the link, with the store as it was.
    rmSync(library)
    writeFileSync(library, changed)
    harnessed.device.give(library)
    const third = await harnessed.open({ bundle })
    expect(await third.prepare(recordingReporter())).toMatchObject({ sentFiles: 0 })
    expect(readFileSync(library).equals(original)).toBe(true)
    third.close()
  })

  it('measures the sample model there as here', async () => {
    const [model, dataset] = [sample('fashion-cnn.onnx'), sample('fashion-mnist-test.npz')]
    const evaluate = async (session: DeviceSession) => {
      const paths = await session.store([model, dataset], recordingReporter())
      const pathOf = (file: DeviceFile) => paths.get(file.sha256) ?? expect.fail('not stored')
      const reporter = recordingReporter()
      const evaluation = await session.runAgent(
        {
          command: 'evaluate',
          model: pathOf(model),
          dataset: { format: 'npz', name: 'test', files: [{ role: 'samples', path: pathOf(dataset) }], preprocessing: { scale: 1 / 255 } },
        },
        reporter,
      )
      expect(reporter.steps.length).toBeGreaterThan(0)
      const settings = { runs: 50, warmupRuns: 5, warmupSeconds: 0 }
      const bench = await session.runAgent({ command: 'bench', model: pathOf(model), settings }, recordingReporter())
      expect(bench.latenciesMs).toHaveLength(50)
      expect(bench.latenciesMs.every((latency) => latency > 0)).toBe(true)
      return evaluation
    }
    const [there, here] = [await evaluate(remote), await evaluate(local)]
    expect(there.samples).toBe(2000)
    expect(there.metrics).toEqual(here.metrics)
    expect(there.perSample).toEqual(here.perSample)
  })

  it('ends for good when it is killed or cancelled in the middle', async () => {
    const model = sample('fashion-cnn.onnx')
    const path = (await remote.store([model], recordingReporter())).get(model.sha256) ?? ''
    const agents = () => harnessed.device.processes().filter(({ command }) => command.includes('agent.cjs work '))
    const request = { command: 'bench', model: path, settings: { runs: 1_000_000 } } as const
    const killed = remote.runAgent(request, recordingReporter())
    killed.catch(() => undefined)
    await eventually('it runs', () => agents().length === 1)
    process.kill(agents()[0]?.pid ?? 0, 'SIGKILL')
    await expect(killed).rejects.toMatchObject({ code: 'ENGINE_DIED' })

    const abort = new AbortController()
    const reporter = recordingReporter()
    const cancelled = remote.runAgent(request, reporter, abort.signal)
    cancelled.catch(() => undefined)
    await eventually('it measures', () => reporter.steps.length > 0)
    abort.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(agents()).toEqual([])
  })

  it('serves the sample model, which answers through the tunnel', async () => {
    const model = sample('fashion-cnn.onnx')
    const order = scalingOrder(model, 1, { service: 'fashion' })
    const release = { ...order.release, modelName: 'cnn', golden: null }
    const deployed = await remote.services.deploy({ ...order, release, supervise: 'auto' }, recordingReporter())
    const tunnel = await remote.tunnel(deployed.port)
    const predict = (token: string) =>
      fetch(`http://127.0.0.1:${tunnel.port}/predict`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: { input: [Array.from({ length: 28 }, () => new Array(28).fill(0))] } }),
      })
    const answer = await predict(await remote.services.token('fashion'))
    expect([answer.status, await answer.json()]).toMatchObject([200, { version: deployed.release }])
    expect((await predict('wrong-token-of-some-length')).status).toBe(401)
    tunnel.close()
    // A model that cannot be loaded does not push the good one out.
    const broken = sample('MANIFEST.json')
    const second = { ...release, modelSha256: broken.sha256 }
    await expect(remote.services.deploy({ ...order, release: second, model: broken }, recordingReporter())).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
    })
    const report = await remote.services.report('fashion')
    expect(report).toMatchObject({ state: 'running', port: deployed.port })
    expect(report.versions.find(({ role }) => role === 'current')).toMatchObject({ release: deployed.release })
    expect(report.versions.find(({ role }) => role === 'failed')).toMatchObject({ modelSha256: broken.sha256 })
  })

  it('brings the image library beside it for who needs it, and only that', async () => {
    const plain = await remote.runtimeFor({ images: false }, recordingReporter())
    const reporter = recordingReporter()
    const runtime = await remote.runtimeFor({ images: true }, reporter)
    expect(dirname(runtime)).toBe(dirname(plain))
    const names = (folderThere: string) => readdirSync(folderThere).sort()
    expect(names(runtime).filter((name) => !names(plain).includes(name))).toEqual(['libvips-cpp.so.8.18.7', 'sharp.node'])
    // Its self-test decoded a picture with them; Node and ONNX Runtime lie there once.
    expect(reporter.lines.join('\n')).toContain('Self-test passed')
    const inode = (folderThere: string) => statSync(join(folderThere, 'libonnxruntime.so.1')).ino
    expect(inode(runtime)).toBe(inode(plain))
    expect(await remote.runtimeFor({ images: true }, recordingReporter())).toBe(runtime)
    expect(await remote.prepare(recordingReporter())).toMatchObject({ sentFiles: 0 })
    expect(names(dirname(plain))).toHaveLength(2)
  })

  it('leaves no trace', async () => {
    expect((await remote.removeEverything()).removedBytes).toBeGreaterThan(100_000_000)
    // Not ours either: ONNX Runtime would keep an identifier in ~/.cache.
    expect(readdirSync(harnessed.device.home)).toEqual(['.ssh'])
    expect(harnessed.device.processes().filter(({ command }) => command.includes('.edgesmith'))).toEqual([])
  })
})
