import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceSession } from '../../src/remote/device-session.ts'
import type { LinkReport } from '../../src/remote/link-report.ts'
import type { SshSessionOptions } from '../../src/remote/ssh-session.ts'
import { type CutProxy, startCutProxy } from '../devices/cut-proxy.ts'
import { eventually, type HarnessedDevice, isAlive, makeFile, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter, standInBench } from './stand-in-agent.ts'

const isLinux = process.platform === 'linux'
let harnessed: HarnessedDevice
let proxy: CutProxy
const opened: DeviceSession[] = []
/** States of the session that was opened last. */
let links: LinkReport[] = []
beforeAll(async () => {
  harnessed = await startHarnessedDevice()
  const session = await harnessed.open()
  await session.prepare(recordingReporter())
  session.close()
})
afterAll(() => harnessed.stop())
afterEach(async () => {
  for (const session of opened.splice(0)) session.close()
  await proxy?.stop()
})

/** A session through a proxy that can break it, with short pauses. */
async function openThroughProxy(changes: Partial<SshSessionOptions> = {}): Promise<DeviceSession> {
  proxy = await startCutProxy(harnessed.device.port)
  const clock = {
    nowMs: () => Date.now(),
    wait: (ms: number, _stay: boolean, signal: AbortSignal) => delay(Math.min(ms, 50), undefined, { signal }),
  }
  const seen: LinkReport[] = []
  links = seen
  const session = await harnessed.open({ port: proxy.port, clock, onLink: (link) => seen.push(link), ...changes })
  opened.push(session)
  return session
}

function bench(session: DeviceSession, mode: string, reporter = recordingReporter(), signal?: AbortSignal) {
  const job = session.runAgent({ command: 'bench', model: `/models/${mode}`, settings: {} }, reporter, signal)
  job.catch(() => undefined)
  return job
}

const jobFolders = () => readdirSync(join(harnessed.device.home, '.edgesmith', 'jobs'))
const workers = () => harnessed.device.processes().filter(({ command }) => /agent\.cjs work \S+$/.test(command))

/** Starts one that hangs, and answers its process. */
async function hanging(session: DeviceSession, signal?: AbortSignal) {
  const reporter = recordingReporter()
  const job = bench(session, 'hang', reporter, signal)
  const started = () => reporter.steps.find(({ phase }) => phase === 'measuring')
  await eventually('progress', () => started() !== undefined)
  return { job, reporter, pid: started()?.done ?? 0 }
}

describe.runIf(isLinux)('a measurement whose link breaks', () => {
  it('goes on, and every message arrives once', async () => {
    const session = await openThroughProxy()
    const reporter = recordingReporter()
    const job = bench(session, 'slow-work', reporter)
    const measuring = () => reporter.steps.filter(({ phase }) => phase === 'measuring').map(({ done }) => done)
    for (let cuts = 0; cuts < 3; cuts++) {
      const before = measuring().length
      await eventually('more progress', () => measuring().length > before + 2)
      proxy.cut()
    }
    expect(await job).toEqual(standInBench)
    expect(measuring()).toEqual(Array.from({ length: 101 }, (_, index) => index))
    expect(reporter.lines.filter((text) => text.startsWith('Connected again')).length).toBeGreaterThan(0)
    await eventually('its folder is gone', () => jobFolders().length === 0)
    expect(session.closed).toBe(false)
  })

  it('goes on when nobody is told of it (a pulled cable)', async () => {
    const session = await openThroughProxy({ keepAliveMs: 100 })
    const reporter = recordingReporter()
    const job = bench(session, 'slow-work', reporter)
    await eventually('progress', () => reporter.steps.some(({ phase, done }) => phase === 'measuring' && done > 5))
    proxy.freeze()
    await eventually('the dead link is noticed', () => reporter.lines.some((text) => / broke; the measurement goes on/.test(text)))
    proxy.cut()
    expect(await job).toEqual(standInBench)
    const measuring = reporter.steps.filter(({ phase }) => phase === 'measuring').map(({ done }) => done)
    expect(measuring).toEqual(Array.from({ length: 101 }, (_, index) => index))
  })

  it('is cancelled at once while the link is down, and ended over there as soon as it is up', async () => {
    const session = await openThroughProxy()
    const abort = new AbortController()
    const { job, pid } = await hanging(session, abort.signal)
    proxy.refuse(true)
    await eventually('the link is known to be down', () => links.at(-1)?.state === 'reconnecting')
    abort.abort()
    await expect(job).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(isAlive(pid)).toBe(true)
    proxy.refuse(false)
    await eventually('the agent is gone', () => !isAlive(pid))
    await eventually('its folder is gone', () => jobFolders().length === 0)
  })

  it('is cancelled within moments on a link that is dead without anybody knowing', async () => {
    const session = await openThroughProxy()
    const abort = new AbortController()
    const { job, pid } = await hanging(session, abort.signal)
    proxy.freeze()
    abort.abort()
    await expect(job).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(isAlive(pid)).toBe(true)
    proxy.cut()
    await eventually('the agent is gone', () => !isAlive(pid))
    await eventually('its folder is gone', () => jobFolders().length === 0)
  })

  it('fails with CONNECTION_LOST once the device is given up, and says so in its states', async () => {
    const session = await openThroughProxy({ giveUpAfterMs: 300, idleGiveUpAfterMs: 300 })
    const { job, pid } = await hanging(session)
    await proxy.stop()
    await expect(job).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect(session.closed).toBe(true)
    expect(links.at(-1)?.state).toBe('failed')
    // Not ended by anybody yet: the next measurement of this computer finds and ends it.
    expect(isAlive(pid)).toBe(true)
    const next = await harnessed.open()
    opened.push(next)
    const reporter = recordingReporter()
    expect(await bench(next, 'work', reporter)).toEqual(standInBench)
    expect(reporter.lines.some((text) => /left by a program of this computer/.test(text))).toBe(true)
    expect(isAlive(pid)).toBe(false)
    await eventually('both folders are gone', () => jobFolders().length === 0)
  })

  it('ends at once when the device does not let us in again', async () => {
    const session = await openThroughProxy()
    const { job, pid } = await hanging(session)
    const keys = join(harnessed.device.home, '.ssh', 'authorized_keys')
    const saved = join(harnessed.device.home, '.ssh', 'saved')
    renameSync(keys, saved)
    proxy.cut()
    await expect(job).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED' })
    renameSync(saved, keys)
    expect(links.at(-1)).toMatchObject({ state: 'failed', error: { code: 'DEVICE_AUTH_FAILED' } })
    process.kill(pid, 'SIGKILL')
    await expect(bench(session, 'work')).resolves.toEqual(standInBench)
  })

  it('says what happened when its folder was deleted meanwhile', async () => {
    const session = await openThroughProxy()
    const { job, pid } = await hanging(session)
    proxy.refuse(true)
    await eventually('the link is known to be down', () => links.at(-1)?.state === 'reconnecting')
    rmSync(join(harnessed.device.home, '.edgesmith', 'jobs', jobFolders()[0] ?? ''), { recursive: true })
    proxy.refuse(false)
    await expect(job).rejects.toMatchObject({ code: 'ENGINE_DIED', message: expect.stringMatching(/knows nothing of the measurement/) })
    process.kill(pid, 'SIGKILL')
  })

  it('tells how it died while nobody was there', async () => {
    const session = await openThroughProxy()
    const { job, pid } = await hanging(session)
    proxy.refuse(true)
    await eventually('the link is known to be down', () => links.at(-1)?.state === 'reconnecting')
    process.kill(pid, 'SIGKILL')
    proxy.refuse(false)
    await expect(job).rejects.toMatchObject({ code: 'ENGINE_DIED', details: { signal: 'SIGKILL' } })
  })
})

describe.runIf(isLinux)('a measurement beside others', () => {
  it('finds and ends one whose program died', async () => {
    const { bundle: _, ...options } = harnessed.options()
    const program = fileURLToPath(new URL('./dying-host.ts', import.meta.url))
    const host = spawn(process.execPath, [program, JSON.stringify(options), harnessed.device.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(host.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString().trim())
    expect(isAlive(pid)).toBe(true)
    host.kill('SIGKILL')
    await once(host, 'close')
    const session = await harnessed.open()
    opened.push(session)
    const reporter = recordingReporter()
    expect(await bench(session, 'work', reporter)).toEqual(standInBench)
    expect(reporter.lines.some((text) => /left by a program of this computer that died: it is ended/.test(text))).toBe(true)
    expect(isAlive(pid)).toBe(false)
    await eventually('both folders are gone', () => jobFolders().length === 0)
  })

  it('leaves one of another computer alone, and warns in log and result', async () => {
    const otherPath = join(harnessed.device.folder, 'other', 'known_hosts')
    const other = await harnessed.open({ knownHostsPath: otherPath })
    opened.push(other)
    const { job, pid } = await hanging(other)
    const session = await harnessed.open()
    opened.push(session)
    const reporter = recordingReporter()
    const result = await bench(session, 'work', reporter)
    expect(result.warnings).toEqual([expect.stringMatching(/^Another measurement, of .* was running on this device/)])
    expect(reporter.lines.some((text) => text.startsWith('Another measurement is running on this device, of '))).toBe(true)
    expect(isAlive(pid)).toBe(true)
    other.close()
    await expect(job).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await eventually('it is gone', () => workers().length === 0 && jobFolders().length === 0)
  })
})

describe('other work when the link breaks', () => {
  it('a push goes on where it was, and nobody notices but the log', async () => {
    const session = await openThroughProxy()
    const file = makeFile(join(harnessed.device.folder, 'model.onnx'), randomBytes(20_000_000))
    const reporter = recordingReporter()
    proxy.cutAfter(8_000_000)
    const stored = session.store([file], reporter)
    await eventually('the link broke', () => links.some(({ state }) => state === 'reconnecting'))
    proxy.cut()
    expect((await stored).get(file.sha256)).toBe(join(harnessed.device.home, '.edgesmith', 'blobs', file.sha256))
    expect(reporter.lines.some((text) => / broke; it goes on/.test(text))).toBe(true)
  })

  it('a tunnel keeps its port', async () => {
    const session = await openThroughProxy()
    const server = createServer((socket) => socket.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const tunnel = await session.tunnel((server.address() as { port: number }).port)
    const ask = async () => (await connect(tunnel.port, '127.0.0.1').toArray()).join('')
    expect(await ask()).toBe('hello')
    proxy.cut()
    await eventually('the link broke', () => links.some(({ state }) => state === 'reconnecting'))
    expect(await ask()).toBe('hello')
    session.close()
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    server.close()
  })
})

describe.runIf(isLinux)('five devices at once, one of which dies', () => {
  it('four finish, one reports', async () => {
    // One machine with five ways to it: what is tested is that sessions do not depend on each other.
    const proxies = await Promise.all(Array.from({ length: 5 }, () => startCutProxy(harnessed.device.port)))
    const sessions = await Promise.all(proxies.map(({ port }) => harnessed.open({ port, giveUpAfterMs: 300, idleGiveUpAfterMs: 300 })))
    opened.push(...sessions)
    const reporters = sessions.map(() => recordingReporter())
    const jobs = sessions.map((session, index) => bench(session, 'slow-work', reporters[index]))
    await eventually('the third measures', () => (reporters[2]?.steps.filter(({ phase }) => phase === 'measuring').length ?? 0) > 3)
    await proxies[2]?.stop()
    const outcomes = await Promise.allSettled(jobs)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[2]).toMatchObject({ reason: { code: 'CONNECTION_LOST' } })
    await Promise.all(proxies.map((each) => each.stop()))
  })
})
