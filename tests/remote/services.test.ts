import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceSession, ServiceRelease } from '../../src/remote/device-session.ts'
import { getFromService } from '../../src/remote/service-request.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { freePort } from '../devices/ssh-device.ts'
import {
  type AnySession,
  eventually,
  type HarnessedDevice,
  isAlive,
  makeFile,
  startAnySession,
  startHarnessedDevice,
} from './device-harness.ts'
import { recordingReporter } from './stand-in-agent.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-services-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function release(service: string, version: string, changes: Partial<ServiceRelease> = {}): ServiceRelease {
  return {
    service,
    version,
    modelName: 'good',
    model: makeFile(join(folder, `${version}.onnx`), `model ${version}`),
    preprocessing: {},
    labels: ['cat', "dog's"],
    accuracy: 0.9,
    latencyP50Ms: null,
    port: null,
    ...changes,
  }
}

/** What a service says of itself, asked through the session like a client would. */
async function health(session: DeviceSession, service: string): Promise<unknown> {
  const tunnel = await session.tunnel(await session.services.port(service))
  try {
    return (await getFromService(tunnel.port, '/health', await session.services.token(service), 5000)).body
  } finally {
    tunnel.close()
  }
}

describe.each(['ssh', 'local'] as const)('services (%s)', (kind) => {
  let any: AnySession
  const deploy = (wanted: ServiceRelease, signal?: AbortSignal, reporter = recordingReporter()) =>
    any.session.services.deploy(wanted, reporter, signal)
  beforeAll(async () => {
    any = await startAnySession(kind)
  })
  afterAll(() => any.stop())

  it('starts one on a free port, with a token of its own', async () => {
    const reporter = recordingReporter()
    const { port, pid } = await deploy(release('digits', 'v1'), undefined, reporter)
    expect(reporter.steps.at(-1)).toEqual({ phase: 'serving', done: 3, total: 3, unit: 'steps' })
    expect(isAlive(pid)).toBe(true)
    expect(await any.session.services.port('digits')).toBe(port)
    expect(await health(any.session, 'digits')).toMatchObject({ service: 'digits', version: 'v1' })
    const token = await any.session.services.token('digits')
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    const tunnel = await any.session.tunnel(port)
    expect((await getFromService(tunnel.port, '/health', 'wrong', 5000)).status).toBe(401)
    tunnel.close()
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(token)
  })

  it('tells its state, its numbers and its log', async () => {
    const status = await any.session.services.status('digits')
    expect(status).toMatchObject({ state: 'running', requests: 5, errors: 1, latencyP50Ms: 0.5, latencyP95Ms: 1.5, message: null })
    expect(status.rssBytes).toBeGreaterThan(1e6)
    expect(status.uptimeSeconds).toBeGreaterThanOrEqual(0)
    expect(status.uptimeSeconds).toBeLessThan(60)
    expect((await any.session.services.logs('digits', 100)).split('\n')).toEqual(['starting v1', 'listening'])
    expect(await any.session.services.logs('digits', 1)).toBe('listening')
  })

  it('survives the log-out', async () => {
    const { pid } = await any.session.services.status('digits')
    any.session.close()
    const next = await any.again()
    expect(await next.services.status('digits')).toMatchObject({ state: 'running', pid })
    any = { ...any, session: next }
  })

  it('replaces it without a gap, keeping the token', async () => {
    const { services } = any.session
    const [oldPort, oldToken, before] = [await services.port('digits'), await services.token('digits'), await services.status('digits')]
    const answers: number[] = []
    let over = false
    const asking = (async () => {
      while (!over) {
        const port = await services.port('digits').catch(() => oldPort)
        const tunnel = await any.session.tunnel(port)
        const answer = await getFromService(tunnel.port, '/health', oldToken, 5000).catch(() => ({ status: 0 }))
        // The port may have been asked for just before the switch.
        if (answer.status !== 0 || (await services.port('digits')) === port) answers.push(answer.status)
        tunnel.close()
      }
    })()
    const { pid } = await deploy(release('digits', 'v2', { modelName: 'slow' }))
    over = true
    await asking
    expect(answers.length).toBeGreaterThan(0)
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(await services.token('digits')).toBe(oldToken)
    expect(await health(any.session, 'digits')).toMatchObject({ version: 'v2' })
    expect(isAlive(before.pid ?? 0)).toBe(false)
    expect(isAlive(pid)).toBe(true)
  })

  it('replaces it on the same port', async () => {
    const port = await any.session.services.port('digits')
    expect(await deploy(release('digits', 'v3', { port }))).toMatchObject({ port })
    expect(await health(any.session, 'digits')).toMatchObject({ version: 'v3' })
  })

  it.each(['broken', 'unhealthy'])('keeps the old one when the new one is %s, on the same port too', async (modelName) => {
    const port = await any.session.services.port('digits')
    for (const wanted of [null, port]) {
      const failure = deploy(release('digits', 'v4', { modelName, port: wanted }))
      await expect(failure).rejects.toMatchObject({ code: 'DEPLOY_FAILED', details: { log: expect.stringContaining('starting v4') } })
      expect(await health(any.session, 'digits')).toMatchObject({ version: 'v3' })
      expect(await any.session.services.port('digits')).toBe(port)
    }
    if (modelName === 'broken') {
      await expect(deploy(release('digits', 'v4', { modelName }))).rejects.toThrow('the model cannot be loaded')
    }
  })

  it('leaves nothing of a service whose first version failed', async () => {
    await expect(deploy(release('hopeless', 'v1', { modelName: 'broken' }))).rejects.toMatchObject({ code: 'DEPLOY_FAILED' })
    expect(await any.session.services.status('hopeless')).toMatchObject({ state: 'unknown' })
    await expect(any.session.services.logs('hopeless', 10)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('ends what it started when the job is cancelled, and keeps the old one', async () => {
    const abort = new AbortController()
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (step.phase === 'starting the service') setTimeout(() => abort.abort(), 300)
    }
    await expect(deploy(release('digits', 'v5', { modelName: 'slow' }), abort.signal, reporter)).rejects.toMatchObject({
      code: 'JOB_CANCELLED',
    })
    expect(await health(any.session, 'digits')).toMatchObject({ version: 'v3' })
  })

  it('refuses a port that another program has', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    await expect(deploy(release('digits', 'v6', { port }))).rejects.toMatchObject({ code: 'PORT_TAKEN', details: { port } })
    expect(await health(any.session, 'digits')).toMatchObject({ version: 'v3' })
    await any.session.services.stop('digits')
    const own = (await any.session.services.status('digits')).pid
    expect(own).toBeNull()
    other.close()
  })

  it('stops it, and starts it again on its port', async () => {
    expect(await any.session.services.status('digits')).toMatchObject({ state: 'stopped', pid: null, message: null })
    await expect(any.session.services.port('digits')).rejects.toMatchObject({ code: 'SERVICE_NOT_RUNNING' })
    expect(await any.session.services.restart('digits')).toMatchObject({ state: 'running', requests: 5 })
    const port = await any.session.services.port('digits')
    await any.session.services.restart('digits')
    expect(await any.session.services.port('digits')).toBe(port)
    await any.session.services.stop('digits')
    const squatter = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => squatter.once('listening', resolve))
    await expect(any.session.services.restart('digits')).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    squatter.close()
    expect(await any.session.services.restart('digits')).toMatchObject({ state: 'running' })
  })

  it('tells of one that was killed, and starts it again', async () => {
    const { services } = any.session
    const { pid } = await services.status('digits')
    process.kill(pid ?? 0, 'SIGKILL')
    await eventually('it is gone', () => !isAlive(pid ?? 0))
    expect(await services.status('digits')).toMatchObject({ state: 'failed', pid: null })
    await services.restart('digits')
    expect(await services.status('digits')).toMatchObject({ state: 'running' })
  })

  it('lets only one change a service at a time', async () => {
    const reporter = recordingReporter()
    const first = deploy(release('digits', 'v7', { modelName: 'slow' }), undefined, reporter)
    await eventually('the first has begun', () => reporter.steps.some(({ phase }) => phase === 'starting the service'))
    const others = await Promise.allSettled([any.session.services.restart('digits'), any.session.services.stop('digits')])
    for (const outcome of others) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'DEVICE_BUSY', details: { ageSeconds: expect.any(Number) } } })
    }
    await first
    expect(await health(any.session, 'digits')).toMatchObject({ version: 'v7' })
  })

  it('knows two versions at most: the one it serves and the one before', async () => {
    await deploy(release('digits', 'v8'))
    await deploy(release('digits', 'v9'))
    expect((await any.session.services.logs('digits', 10)).split('\n')[0]).toBe('starting v9')
  })

  it('refuses names that are none, and tells of services that are not there', async () => {
    for (const name of ['', '../x', 'A', 'a b', '-a', 'x'.repeat(41)]) {
      await expect(deploy(release(name, 'v1'))).rejects.toMatchObject({ code: 'NAME_INVALID' })
      await expect(any.session.services.remove(name)).rejects.toMatchObject({ code: 'NAME_INVALID' })
    }
    for (const what of ['stop', 'restart', 'token', 'port'] as const) {
      await expect(any.session.services[what]('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    await any.session.services.remove('nobody')
  })

  it('removes it whole', async () => {
    const { pid } = await any.session.services.status('digits')
    await any.session.services.remove('digits')
    expect(isAlive(pid ?? 0)).toBe(false)
    expect(await any.session.services.status('digits')).toMatchObject({ state: 'unknown' })
  })
})

describe('services on a device', () => {
  let harnessed: HarnessedDevice
  beforeAll(async () => {
    harnessed = await startHarnessedDevice()
  })
  afterAll(() => harnessed.stop())

  it('keep their files private, and two versions of them', async () => {
    const session = await harnessed.open()
    for (const version of ['v1', 'v2', 'v3']) await session.services.deploy(release('digits', version), recordingReporter())
    const service = join(harnessed.device.home, '.edgesmith', 'services', 'digits')
    expect(readdirSync(service).sort()).toEqual(['current', 'releases', 'token'])
    expect(statSync(join(service, 'token')).mode & 0o777).toBe(0o600)
    expect(statSync(service).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(service, 'releases'))).toHaveLength(2)
    session.close()
  })

  it('set a log aside that grew too large, and still show it', async () => {
    const session = await harnessed.open()
    const service = join(harnessed.device.home, '.edgesmith', 'services', 'digits')
    const current = join(service, 'releases', readFileSync(join(service, 'current'), 'utf8').trim())
    appendFileSync(join(current, 'log'), `${'x'.repeat(99)}\n`.repeat(60_000))
    await session.services.restart('digits')
    expect(statSync(join(current, 'log.1')).size).toBeGreaterThan(6_000_000)
    expect(statSync(join(current, 'log')).size).toBeLessThan(1000)
    const lines = (await session.services.logs('digits', 5000)).split('\n')
    expect(lines.slice(-2)).toEqual(['starting v3', 'listening'])
    expect(lines).toHaveLength(5000)
    expect(await session.services.logs('digits', 2)).toBe('starting v3\nlistening')
    session.close()
  })

  it('are never confused with another program that got the number of a dead one', async () => {
    const session = await harnessed.open()
    const { pid } = await session.services.status('digits')
    process.kill(pid ?? 0, 'SIGKILL')
    const service = join(harnessed.device.home, '.edgesmith', 'services', 'digits')
    const current = readFileSync(join(service, 'current'), 'utf8').trim()
    // The number now belongs to this very process.
    writeFileSync(join(service, 'releases', current, 'pid'), `${process.pid}\n`)
    expect(await session.services.status('digits')).toMatchObject({ state: 'failed', pid: null })
    await session.services.stop('digits')
    await session.services.remove('digits')
    session.close()
  })

  it('run on a board with coreutils and tar only, where there is no setsid', async () => {
    const bin = makeBarePath(join(harnessed.device.folder, 'bin'))
    const bare = await startHarnessedDevice({ path: bin })
    try {
      const session = await bare.open()
      await session.services.deploy(release('digits', 'v1'), recordingReporter())
      session.close()
      const next = await bare.open()
      expect(await next.services.status('digits')).toMatchObject({ state: 'running', requests: 5 })
      await next.services.deploy(release('digits', 'v2', { port: await next.services.port('digits') }), recordingReporter())
      expect(await health(next, 'digits')).toMatchObject({ version: 'v2' })
      await next.removeEverything()
      expect(bare.device.processes().filter(({ command }) => command.includes('agent.cjs'))).toEqual([])
      next.close()
    } finally {
      await bare.stop()
    }
  })

  it('come back to order after the link broke in the middle of a deploy', async () => {
    const first = await harnessed.open()
    const { pid: oldPid } = await first.services.deploy(release('digits', 'v1'), recordingReporter())
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (step.phase === 'starting the service') setTimeout(() => harnessed.device.cutConnections(), 500)
    }
    const wanted = release('digits', 'v2', { modelName: 'slow' })
    await expect(first.services.deploy(wanted, reporter)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    const second = await harnessed.open()
    expect(isAlive(oldPid)).toBe(true)
    expect(await health(second, 'digits')).toMatchObject({ version: 'v1' })
    // The lock of the attempt that died is ours to take, and what it left running is ended.
    await second.services.deploy(release('digits', 'v3'), recordingReporter())
    expect(await health(second, 'digits')).toMatchObject({ version: 'v3' })
    const serving = () => harnessed.device.processes().filter(({ command }) => command.includes(' serve '))
    await eventually('one service process is left', () => serving().length === 1)
    second.close()
  })

  it('change on the same port even when the link breaks meanwhile', async () => {
    const first = await harnessed.open()
    const port = await first.services.port('digits')
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (step.phase === 'starting the service') setTimeout(() => harnessed.device.cutConnections(), 700)
    }
    const wanted = release('digits', 'v4', { modelName: 'slow', port })
    await expect(first.services.deploy(wanted, reporter)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    const second = await harnessed.open()
    const service = join(harnessed.device.home, '.edgesmith', 'services', 'digits')
    const config = () => {
      const current = readFileSync(join(service, 'current'), 'utf8').trim()
      return JSON.parse(readFileSync(join(service, 'releases', current, 'config.json'), 'utf8')) as { version: string }
    }
    await eventually('the device finished by itself', () => config().version === 'v4')
    expect(await health(second, 'digits')).toMatchObject({ version: 'v4' })
    expect(await second.services.port('digits')).toBe(port)
    second.close()
  })

  it('say so when the server forwards no ports', async () => {
    const closed = await startHarnessedDevice({ config: ['AllowTcpForwarding no'] })
    try {
      const session = await closed.open()
      const failure = session.services.deploy(release('digits', 'v1'), recordingReporter())
      await expect(failure).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED', hint: expect.stringContaining('AllowTcpForwarding') })
      expect(closed.device.processes()).toEqual([])
      session.close()
    } finally {
      await closed.stop()
    }
  })

  it('and all else go with removeEverything: no file, no process', async () => {
    const session = await harnessed.open()
    await session.services.deploy(release('second', 'v1', { port: await freePort() }), recordingReporter())
    const running = session.runAgent({ command: 'bench', model: '/m/hang', settings: {} }, recordingReporter())
    running.catch(() => undefined)
    const agents = () => harnessed.device.processes().filter(({ command }) => command.includes('agent.cjs'))
    const runs = (pattern: RegExp) => agents().some(({ command }) => pattern.test(command))
    await eventually('all of them run', () => runs(/agent\.cjs serve /) && runs(/agent\.cjs work \S+$/))
    const { removedBytes } = await session.removeEverything()
    expect(removedBytes).toBeGreaterThan(10_000)
    // Whichever of its two processes is looked at first: the agent is gone, or knows nothing of the run.
    await expect(running).rejects.toMatchObject({ code: expect.stringMatching(/^(DEVICE_COMMAND_FAILED|ENGINE_DIED)$/) })
    expect(readdirSync(harnessed.device.home)).toEqual(['.ssh'])
    expect(agents()).toEqual([])
    // A second time there is nothing to do.
    expect(await session.removeEverything()).toEqual({ removedBytes: 0 })
    expect(await session.prepare(recordingReporter())).toMatchObject({ sentFiles: 6 })
    await session.removeEverything()
    session.close()
  })
})
