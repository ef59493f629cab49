import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { withServiceLock } from '../../../src/agent/services/service-lock.ts'
import type { ReleaseFile } from '../../../src/contract/service.ts'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { AgentProcess, isAlive } from '../agent-process.ts'
import { send, serviceConfig, TOKEN } from '../service-fixture.ts'
import { ServiceMachine } from './service-machine.ts'

let bundle: AgentBundle
let machine: ServiceMachine
beforeAll(async () => {
  bundle = await bundleAgent()
})
afterAll(() => bundle.remove())
beforeEach(async () => {
  machine = await ServiceMachine.start(bundle)
})
afterEach(() => machine.end())

/** Golden answers that no model of these tests gives. */
function wrongGolden(release: ReleaseFile): ReleaseFile {
  const values = (numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString('base64')
  const inputs = [{ name: 'x', type: 'float32', dims: [1, 2], values: values([1, 1]) }]
  const outputs = [{ name: 'y', type: 'float32', dims: [1, 1], values: values([1000]) }]
  return { ...release, golden: { samples: [{ inputs, outputs }], tolerance: 0.01 } }
}

/** Asks all the time, by several clients, until the work is done; answers what failed and how many answers each release gave. */
async function underLoad<T>(
  port: number,
  work: () => Promise<T>,
): Promise<{ result: T; failures: unknown[]; versions: Map<string, number> }> {
  let going = true
  const failures: unknown[] = []
  const versions = new Map<string, number>()
  const clients = Array.from({ length: 4 }, async () => {
    while (going) {
      const reply = await send(port, '/predict', { body: { input: [1, 1] } }).catch((error: unknown) => error)
      if (reply instanceof Error || (reply as { status: number }).status !== 200) failures.push(reply)
      else {
        const { version } = (reply as { body: { version: string } }).body
        versions.set(version, (versions.get(version) ?? 0) + 1)
      }
    }
  })
  try {
    return { result: await work(), failures, versions }
  } finally {
    going = false
    await Promise.all(clients)
  }
}

describe('the command service', () => {
  it('deploys, switches under load, rolls back, stops, starts, survives a crash, and removes without a trace', async () => {
    const first = await machine.deploy('box', await machine.release(1))
    expect(first.deployed).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ name: 'files', passed: true })]) })
    const port = first.deployed?.port ?? 0
    expect(await machine.factor('box')).toBe(1)
    expect(first.reports).toMatchObject([
      {
        service: 'box',
        state: 'running',
        supervision: 'process',
        survivesReboot: false,
        rebootNote: expect.any(String),
        port,
        message: null,
      },
    ])
    expect((await machine.call({ action: 'token', service: 'box' })).token).toBe(TOKEN)

    const { result, failures, versions } = await underLoad(port, async () => machine.deploy('box', await machine.release(2)))
    expect(failures).toEqual([])
    expect([...versions.keys()].sort()).toEqual([first.deployed?.release, result.deployed?.release].sort())
    expect(result.deployed).toMatchObject({ port, pid: first.deployed?.pid })
    expect(await machine.factor('box')).toBe(2)
    expect((await machine.report('box')).versions.map(({ role, modelName }) => `${role} ${modelName}`).sort()).toEqual([
      'current times 2',
      'previous times 1',
    ])
    // The same release once more changes nothing.
    const again = await machine.deploy('box', await machine.release(2))
    expect(again.deployed?.release).toBe(result.deployed?.release)
    expect((await machine.report('box')).versions).toHaveLength(2)

    await machine.call({ action: 'traffic', service: 'box', traffic: { action: 'rollback' } })
    expect(await machine.factor('box')).toBe(1)

    expect((await machine.call({ action: 'stop', service: 'box' })).reports).toMatchObject([{ state: 'stopped', pid: null }])
    expect(await machine.processes()).toEqual([])
    expect((await machine.call({ action: 'start', service: 'box' })).reports).toMatchObject([{ state: 'running', port }])
    expect(await machine.factor('box')).toBe(1)

    // A release that is watched is not taken back for a crash that was asked for.
    await machine.deploy('box', await machine.release(2), { rollout: { watchSeconds: 600 } })
    const pid = (await machine.report('box')).pid as number
    const crashed = await machine.call({ action: 'crash', service: 'box' })
    expect(await machine.factor('box')).toBe(2)
    expect(crashed.reports[0]).toMatchObject({ state: 'running', message: expect.stringMatching(/answered again \d+ ms/) })
    expect(isAlive(pid)).toBe(false)
    expect((await machine.report('box')).events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['deployed', 'stopped', 'crashed']))
    expect((await machine.call({ action: 'logs', service: 'box', lines: 100 })).logs).toContain('"event":"started"')

    const look = await machine.call({ action: 'look', service: null })
    expect(look.reports.map(({ service }) => service)).toEqual(['box'])
    await machine.call({ action: 'remove', service: 'box' })
    expect(await machine.processes()).toEqual([])
    expect((await readdir(machine.root)).filter((name) => !name.endsWith('.onnx'))).toEqual([])
    await expect(machine.call({ action: 'stop', service: 'box' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }, 240_000)

  it('keeps a release that fails its checks, with its log, and whoever served before', async () => {
    const first = await machine.deploy('box', await machine.release(1))
    const bad = wrongGolden(await machine.release(2))
    const { result: error, failures } = await underLoad(first.deployed?.port ?? 0, () =>
      machine.deploy('box', bad).catch((thrown: unknown) => thrown),
    )
    expect(error).toMatchObject({
      code: 'DEPLOY_FAILED',
      message: expect.stringContaining('golden answers'),
      hint: expect.stringContaining('serves on'),
      details: {
        checks: expect.arrayContaining([expect.objectContaining({ name: 'golden answers', passed: false })]),
        log: expect.any(String),
      },
    })
    expect(failures).toEqual([])
    expect(await machine.factor('box')).toBe(1)
    const report = await machine.report('box')
    expect(report.versions.find(({ role }) => role === 'failed')).toMatchObject({
      modelName: 'times 2',
      failure: { reason: expect.stringContaining('golden answers'), checks: expect.any(Array) },
    })
    expect(report.events.at(-1)).toMatchObject({ kind: 'failed' })
    const forget = {
      action: 'forget-failure',
      service: 'box',
      release: report.versions.find(({ role }) => role === 'failed')?.release ?? '',
    } as const
    expect((await machine.call(forget)).reports[0]?.versions.map(({ role }) => role)).toEqual(['current'])
    await expect(machine.call(forget)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // What failed may be deployed again, once it is right.
    await machine.deploy('box', { ...bad, golden: null })
    expect(await machine.factor('box')).toBe(2)
  }, 120_000)

  it('starts nothing where the first release fails, and says why', async () => {
    const wrong = await machine.release(3)
    await writeFile(wrong.modelPath, 'no model')
    await expect(machine.deploy('box', wrong)).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
      details: { checks: [{ name: 'files', passed: false, text: expect.stringContaining(wrong.modelPath) }] },
    })
    await expect(machine.deploy('box', wrongGolden(await machine.release(2)))).rejects.toMatchObject({
      code: 'DEPLOY_FAILED',
      message: expect.stringContaining('golden answers'),
    })
    expect(await machine.processes()).toEqual([])
    const report = await machine.report('box')
    expect(report).toMatchObject({ state: 'failed', versions: [{ role: 'failed' }, { role: 'failed' }] })
    await machine.deploy('box', await machine.release(1))
    expect(await machine.factor('box')).toBe(1)
  }, 120_000)

  it('hands over to a new process for other settings without losing a request, and moves to another port', async () => {
    const first = await machine.deploy('box', await machine.release(1))
    const port = first.deployed?.port ?? 0
    const settings = { concurrency: 77 }
    const { result, failures } = await underLoad(port, async () => machine.deploy('box', await machine.release(2), { settings }))
    expect(failures).toEqual([])
    expect(result.deployed?.port).toBe(port)
    expect(result.deployed?.pid).not.toBe(first.deployed?.pid)
    expect(await machine.factor('box')).toBe(2)

    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const taken = (other.address() as { port: number }).port
    await expect(machine.deploy('box', await machine.release(1), { settings: { ...settings, port: taken } })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      details: { port: taken },
    })
    expect((await machine.report('box')).port).toBe(port)
    await new Promise((resolve) => other.close(resolve))
    const moved = await machine.deploy('box', await machine.release(1), { settings: { ...settings, port: taken } })
    expect(moved.deployed?.port).toBe(taken)
    expect(await machine.factor('box')).toBe(1)
    // Wrong settings: the agent there refuses them, and the service stays as it is.
    const nowhere = await machine.deploy('box', await machine.release(2), { runtime: machine.root }).catch((thrown: unknown) => thrown)
    expect(nowhere).toMatchObject({ code: 'DEPLOY_FAILED', hint: expect.stringContaining('serves on') })
    expect(await machine.factor('box')).toBe(1)
  }, 240_000)

  it('leaves things as they were when it is cancelled', async () => {
    const cancel = async (factor: number, settings: object) => {
      const deploying = machine.begin()
      void deploying.answer(machine.line(machine.deployment('box', await machine.release(factor), { settings }))).catch(() => undefined)
      await deploying.reached('checking the release')
      deploying.child.stdin?.end()
      await deploying.ended
      await expect.poll(() => existsSync(join(machine.folder('box'), 'undo.json')), { timeout: 30_000 }).toBe(false)
      await expect.poll(() => existsSync(join(machine.folder('box'), 'lock')), { timeout: 30_000 }).toBe(false)
    }
    await cancel(1, {})
    expect(await machine.processes()).toEqual([])
    await machine.deploy('box', await machine.release(1))
    await cancel(2, { concurrency: 5 })
    expect(await machine.factor('box')).toBe(1)
    expect(JSON.parse(await readFile(join(machine.folder('box'), 'service.json'), 'utf8')).concurrency).toBe(512)
  }, 180_000)

  it('is done by one at a time', async () => {
    await mkdir(join(machine.folder('box'), 'lock'), { recursive: true })
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    await writeFile(join(machine.folder('box'), 'lock', 'owner'), `laptop 17 abc\n${boot} ${process.pid}\n`)
    await expect(machine.deploy('box', await machine.release(1))).rejects.toMatchObject({
      code: 'DEVICE_BUSY',
      message: expect.stringContaining('laptop'),
      details: { owner: 'laptop 17 abc', ageSeconds: expect.any(Number) },
    })
    // A process that is gone holds nothing; nor does one of an earlier start of the machine.
    // Nor one that only has the number of a process that was started later.
    await writeFile(join(machine.folder('box'), 'lock', 'owner'), `laptop 17 abc\n${boot} ${process.pid} 1\n`)
    expect(await withServiceLock(machine.folder('box'), 'tower 1 x', async () => 'alone')).toBe('alone')
    await mkdir(join(machine.folder('box'), 'lock'), { recursive: true })
    await writeFile(join(machine.folder('box'), 'lock', 'owner'), `laptop 17 abc\nanother-boot ${process.pid}\n`)
    await machine.deploy('box', await machine.release(1))
    expect(await machine.factor('box')).toBe(1)
    expect(existsSync(join(machine.folder('box'), 'lock'))).toBe(false)
  }, 120_000)

  it('takes the place of a service of the older layout', async () => {
    const older = join(machine.folder('box'), 'releases', '20260101000000-abcdef')
    await mkdir(older, { recursive: true })
    const { modelPath, modelSha256 } = await machine.release(1)
    const config = serviceConfig(new Uint8Array(), {
      service: 'box',
      modelPath,
      modelSha256,
      tokenPath: join(machine.folder('box'), 'token'),
      statePath: join(older, 'state.json'),
    })
    await writeFile(join(machine.folder('box'), 'token'), `${TOKEN}\n`, { mode: 0o600 })
    await writeFile(join(machine.folder('box'), 'current'), '20260101000000-abcdef\n')
    await writeFile(join(older, 'config.json'), JSON.stringify(config))
    const agent = new AgentProcess(bundle, ['serve', join(older, 'config.json')])
    await writeFile(join(older, 'pid'), `${agent.child.pid}\n`)
    await expect.poll(() => existsSync(join(older, 'state.json')), { timeout: 20_000 }).toBe(true)
    expect(await machine.report('box')).toMatchObject({ state: 'unknown', message: expect.stringContaining('older version') })

    await machine.deploy('box', await machine.release(2))
    expect((await agent.ended).code).toBe(0)
    expect(await machine.factor('box')).toBe(2)
    expect(await readdir(join(machine.folder('box'), 'releases'))).toHaveLength(1)
  }, 120_000)
})
