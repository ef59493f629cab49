import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callHttp, jsonBody, jsonOf } from '../../src/platform/http-call.ts'
import type { DeviceFile, DeviceSession } from '../../src/remote/device-session.ts'
import { isAlive } from './device-harness.ts'
import { type ServiceMachine, scalingModel, scalingOrder, startServiceMachine } from './service-harness.ts'
import { recordingReporter } from './stand-in-agent.ts'

let folder: string
const models = new Map<number, DeviceFile>()
let slowModel: DeviceFile
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-service-models-'))
  for (const factor of [2, 3, 5, 7]) models.set(factor, scalingModel(folder, factor))
  slowModel = scalingModel(folder, 2, { slow: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const order = (factor: number, changes: Parameters<typeof scalingOrder>[2] = {}) =>
  scalingOrder(models.get(factor) ?? expect.fail('no model'), factor, changes)

describe.each(['ssh', 'local'] as const)('services of the real agent (%s)', (kind) => {
  let machine: ServiceMachine
  let session: DeviceSession
  let port = 0
  let token = ''
  beforeAll(async () => {
    machine = await startServiceMachine(kind)
    session = await machine.open()
  })
  afterAll(async () => {
    session.close()
    await machine.stop()
  })

  const deploy = (
    ...[factor, changes, signal, reporter = recordingReporter()]: [
      number,
      Parameters<typeof scalingOrder>[2]?,
      AbortSignal?,
      ReturnType<typeof recordingReporter>?,
    ]
  ) => session.services.deploy(order(factor, changes), reporter, signal)
  /** Asked as a client would, through the tunnel. */
  const predict = async (key = token) => {
    const tunnel = await session.tunnel(port)
    try {
      const body = jsonBody({ inputs: { x: [1, 10] } })
      const limits = { silenceMs: 5000, mostBytes: 1_000_000 }
      const reply = await callHttp({ host: '127.0.0.1', port: tunnel.port, path: '/predict', token: key, body, ...limits })
      return { status: reply.status, body: jsonOf(reply) }
    } finally {
      tunnel.close()
    }
  }
  const answersTimes = async (factor: number) =>
    expect(await predict()).toMatchObject({ status: 200, body: { outputs: { y: [factor, 10 * factor] } } })
  const serviceFolder = () => join(machine.root, 'services', 'scaler')

  it('checks a first release and serves it on a free port, with a token of its own', async () => {
    const reporter = recordingReporter()
    const deployed = await deploy(2, {}, undefined, reporter)
    expect(reporter.steps.at(-1)).toMatchObject({ phase: 'serving' })
    expect(deployed.checks.map(({ name, passed }) => [name, passed])).toEqual(
      expect.arrayContaining([
        ['load', true],
        ['golden answers', true],
      ]),
    )
    expect(deployed.report).toMatchObject({
      service: 'scaler',
      state: 'running',
      port: deployed.port,
      pid: deployed.pid,
      supervision: 'process',
    })
    expect(deployed.report.versions).toMatchObject([{ release: deployed.release, modelName: 'times 2', role: 'current', failure: null }])
    port = deployed.port
    token = await session.services.token('scaler')
    await answersTimes(2)
    expect(await predict('another-token-0123456789')).toMatchObject({ status: 401 })
    expect(statSync(join(serviceFolder(), 'token')).mode & 0o777).toBe(0o600)
    expect(readFileSync(`/proc/${deployed.pid}/cmdline`, 'utf8')).not.toContain(token)
  })

  it('switches to the next one without a failed request, on the same port with the same token', async () => {
    const answers: unknown[] = []
    let over = false
    const asking = (async () => {
      while (!over) answers.push(((await predict()).body as { outputs: { y: number[] } }).outputs.y[0])
    })()
    const deployed = await deploy(3)
    over = true
    await asking
    expect(deployed.port).toBe(port)
    expect(new Set(answers).size).toBeLessThanOrEqual(2)
    expect(answers.every((answer) => answer === 2 || answer === 3)).toBe(true)
    expect(await session.services.token('scaler')).toBe(token)
    await answersTimes(3)
    const report = await session.services.report('scaler')
    expect(report.versions.map(({ modelName, role }) => [modelName, role])).toEqual(
      expect.arrayContaining([
        ['times 3', 'current'],
        ['times 2', 'previous'],
      ]),
    )
    expect(await session.services.reports()).toMatchObject([{ service: 'scaler', state: 'running' }])
  })

  it('rolls back, and forward again', async () => {
    const back = await session.services.traffic('scaler', { action: 'rollback' })
    expect(back.versions.find(({ role }) => role === 'current')).toMatchObject({ modelName: 'times 2' })
    await answersTimes(2)
    await session.services.traffic('scaler', { action: 'rollback' })
    await answersTimes(3)
  })

  it('keeps a release that failed, with what was checked, and serves what it served', async () => {
    const failure = await deploy(5, { claimed: 6 }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'DEPLOY_FAILED', details: { log: expect.any(String) } })
    const { checks } = (failure as { details: { checks: { name: string; passed: boolean }[] } }).details
    expect(checks.find(({ passed }) => !passed)).toMatchObject({ name: 'golden answers' })
    await answersTimes(3)
    const failed = (await session.services.report('scaler')).versions.find(({ role }) => role === 'failed')
    expect(failed).toMatchObject({ modelName: 'times 5', failure: { reason: expect.any(String), checks: expect.any(Array) } })
    // The same release without the wrong claim is another one.
    await deploy(5)
    await answersTimes(5)
  })

  it.runIf(kind === 'ssh')('is not touched while another host changes it', async () => {
    const lock = join(serviceFolder(), 'lock')
    mkdirSync(lock)
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    writeFileSync(join(lock, 'owner'), `laptop-of-ann 4242 0123456789ab\n${bootId} ${process.pid}\n`)
    machine.harnessed?.device.give(lock)
    for (const change of [() => deploy(7), () => session.services.stop('scaler'), () => session.services.remove('scaler')]) {
      await expect(change()).rejects.toMatchObject({
        code: 'DEVICE_BUSY',
        message: expect.stringContaining('laptop-of-ann'),
        details: { ageSeconds: expect.any(Number) },
      })
    }
    expect(await session.services.report('scaler')).toMatchObject({ state: 'running' })
    rmSync(lock, { recursive: true })
    await deploy(7)
    await answersTimes(7)
  })

  /** What the tests above left serving. */
  const left = kind === 'ssh' ? 7 : 5

  /** A deploy that is cancelled as soon as it tells of a step. */
  const deployCancelledAt = (phase: string, [factor, changes]: Parameters<typeof deploy>) => {
    const abort = new AbortController()
    const reporter = recordingReporter()
    const { progress } = reporter
    reporter.progress = (step) => {
      progress(step)
      if (step.phase === phase) abort.abort()
    }
    return deploy(factor, changes, abort.signal, reporter)
  }

  it('leaves what serves alone when the deploy is cancelled', async () => {
    // Its checks take ten seconds: the word to cancel comes first, however long it is under way.
    const slow = {
      release: { ...order(2).release, modelSha256: slowModel.sha256, golden: null },
      model: slowModel,
      gate: { maxLatencyMs: 60_000, runs: 100 },
    }
    await expect(deployCancelledAt('checking the release', [2, slow])).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await answersTimes(left)
    expect(await session.services.report('scaler')).toMatchObject({ state: 'running' })
  })

  it('is done when it is cancelled too late', async () => {
    const { release, report } = await deployCancelledAt('tidying up', [3])
    expect(report.versions.find((version) => version.release === release)).toMatchObject({ modelName: 'times 3', role: 'current' })
    await answersTimes(3)
    await session.services.traffic('scaler', { action: 'rollback' })
    await answersTimes(left)
  })

  it.runIf(kind === 'ssh')('refuses a port that another program has, and goes on serving on its own', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const taken = (other.address() as { port: number }).port
    await expect(deploy(2, { port: taken })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    other.close()
    await answersTimes(left)
  })

  it('stops, starts on its port, comes back from a crash, and says what it logged', async () => {
    expect(await session.services.stop('scaler')).toMatchObject({ state: 'stopped', pid: null })
    await expect(predict()).rejects.toThrow()
    const started = await session.services.start('scaler')
    expect(started).toMatchObject({ state: 'running', port })
    await answersTimes(left)
    const crashed = await session.services.crash('scaler')
    expect(crashed).toMatchObject({ state: 'running', port, message: expect.stringContaining('ms') })
    expect(crashed.pid).not.toBe(started.pid)
    await answersTimes(left)
    const log = await session.services.logs('scaler', 100)
    expect(log.split('\n').length).toBeGreaterThan(1)
    expect(await session.services.logs('scaler', 1)).not.toContain('\n')
  })

  it('survives the log-out', async () => {
    const { pid } = await session.services.report('scaler')
    session.close()
    session = await machine.open()
    expect(await session.services.report('scaler')).toMatchObject({ state: 'running', pid })
  })

  it('refuses names that are none, and tells of services that are not there', async () => {
    for (const name of ['', '../x', 'A', 'a b', '-a', 'x'.repeat(41)]) {
      await expect(session.services.report(name)).rejects.toMatchObject({ code: 'NAME_INVALID' })
      await expect(session.services.remove(name)).rejects.toMatchObject({ code: 'NAME_INVALID' })
    }
    expect(await session.services.report('nobody')).toMatchObject({ state: 'unknown', versions: [] })
    for (const what of ['stop', 'start', 'token'] as const) {
      await expect(session.services[what]('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    await expect(session.services.logs('nobody', 5)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await session.services.remove('nobody')
  })

  it.runIf(kind === 'ssh')('keeps a first release that failed until it is removed', async () => {
    await expect(deploy(2, { service: 'hopeless', claimed: 9 })).rejects.toMatchObject({ code: 'DEPLOY_FAILED' })
    const report = await session.services.report('hopeless')
    expect(report.state).not.toBe('running')
    expect(report.versions).toMatchObject([{ role: 'failed', modelName: 'times 2' }])
    await session.services.remove('hopeless')
    expect(await session.services.report('hopeless')).toMatchObject({ state: 'unknown' })
  })

  it('is removed whole', async () => {
    const { pid } = await session.services.report('scaler')
    await session.services.remove('scaler')
    expect(isAlive(pid ?? 0)).toBe(false)
    expect(existsSync(serviceFolder())).toBe(false)
    expect(await session.services.reports()).toEqual([])
  })
})

describe('services on a device', () => {
  let machine: ServiceMachine
  beforeAll(async () => {
    machine = await startServiceMachine('ssh')
  })
  afterAll(() => machine.stop())
  const device = () => machine.harnessed?.device ?? expect.fail('no device')
  const agents = () =>
    device()
      .processes()
      .filter(({ command }) => command.includes('agent.cjs'))

  it('are deployed to the end while the link is broken', async () => {
    const session = await machine.open()
    const reporter = recordingReporter()
    const { progress } = reporter
    let cut = false
    reporter.progress = (step) => {
      progress(step)
      if (step.phase !== 'starting the service' || cut) return
      cut = true
      device().cutConnections()
    }
    const deployed = await session.services.deploy(order(2), reporter)
    expect(cut).toBe(true)
    expect(deployed.report).toMatchObject({ state: 'running' })
    expect(reporter.steps.at(-1)).toMatchObject({ phase: 'serving' })
    session.close()
  })

  it('go with removeEverything: no file, no process', async () => {
    const session = await machine.open()
    expect((await session.removeEverything()).removedBytes).toBeGreaterThan(10_000)
    expect(readdirSync(device().home)).toEqual(['.ssh'])
    expect(agents()).toEqual([])
    // A second time there is nothing to do.
    expect(await session.removeEverything()).toEqual({ removedBytes: 0 })
    session.close()
  })

  it('go even when no agent is left that could remove them', async () => {
    const session = await machine.open()
    await session.services.deploy(order(3), recordingReporter())
    expect(agents().length).toBeGreaterThanOrEqual(2)
    const runtimes = join(machine.root, 'runtime')
    for (const name of readdirSync(runtimes)) {
      // A new file in the place of the link: the one in the store is not changed.
      rmSync(join(runtimes, name, 'agent.cjs'))
      writeFileSync(join(runtimes, name, 'agent.cjs'), 'this is no program')
    }
    device().give(runtimes)
    const next = await machine.open()
    await next.removeEverything()
    expect(readdirSync(device().home)).toEqual(['.ssh'])
    expect(agents()).toEqual([])
    session.close()
    next.close()
  })
})
