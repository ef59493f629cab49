// Processes and connections that die in the middle of a job: a clear failed job, nothing half-made, and the next job works.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/contract/dataset.ts'
import { type Device, LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
let sshDevice: SshDevice
let device: Device
let model: Model
let calibration: Dataset
let test_: Dataset
/** Runs until somebody ends it. */
const endless = { runs: 1_000_000, warmupRuns: 1, warmupSeconds: 0 }
const short = { runs: 30, warmupRuns: 2, warmupSeconds: 0 }

beforeAll(async () => {
  sshDevice = await startSshDevice()
  workspace = await openWorkspace()
  const { models, datasets } = await workspace.backend.call('samples.import', {})
  model = models.find(({ name }) => name === 'fashion-cnn') as Model
  calibration = datasets.find(({ name }) => name.includes('calibration')) as Dataset
  test_ = datasets.find(({ name }) => name.includes('test')) as Dataset
  device = await workspace.backend.call('devices.add', {
    name: 'board',
    host: sshDevice.host,
    port: sshDevice.port,
    user: sshDevice.user,
    auth: { method: 'key', keyPath: sshDevice.keyPath },
    hostKey: sshDevice.hostFingerprint,
  })
  await workspace.result('devices.prepare', { id: device.id })
}, 120_000)
afterAll(async () => {
  await workspace?.close()
  await sshDevice?.stop()
}, 60_000)

function rows<T>(sql: string, ...values: unknown[]): T[] {
  const database = new Database(join(workspace.folder, 'workspace.sqlite'), { readonly: true })
  try {
    return database.prepare(sql).all(...values) as T[]
  } finally {
    database.close()
  }
}

/** Waits until the measurement itself runs: the agent has reported that it measures. */
async function measuring(jobId: string): Promise<void> {
  for (;;) {
    const job = await workspace.backend.call('jobs.get', { id: jobId })
    if (job.progress?.phase === 'measure') return
    if (job.state !== 'queued' && job.state !== 'running') throw new Error(`the job ended before it measured: ${JSON.stringify(job.error)}`)
    await sleep(20)
  }
}

const agentsOnDevice = () => sshDevice.processes().filter(({ command }) => /agent\.cjs work \S+$/.test(command))

describe('a job whose', () => {
  test('engine is killed fails clearly and keeps nothing', async () => {
    const before = rows('select id from models')
    const { jobId } = await workspace.backend.call('optimize.start', {
      modelId: model.id,
      recipe: [{ recipe: 'int8-static' }],
      calibrationId: calibration.id,
    })
    const enginePid = () => rows<{ pid: number | null }>('select engine_pid as pid from jobs where id = ?', jobId)[0]?.pid
    await expect.poll(enginePid, { interval: 5 }).toBeTypeOf('number')
    process.kill(enginePid() as number, 'SIGKILL')
    const job = await workspace.backend.call('jobs.wait', { id: jobId })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'ENGINE_DIED' } })
    expect(rows('select id from models')).toEqual(before)
    expect(workspace.leftovers()).toEqual([])
    const next = await workspace.result('optimize.start', {
      modelId: model.id,
      recipe: [{ recipe: 'int8-static' }],
      calibrationId: calibration.id,
    })
    expect(next.summary.fusedNodes).toBeGreaterThan(0)
  })

  test('agent on this computer is killed fails clearly', async () => {
    const { jobId } = await workspace.backend.call('bench.start', { modelId: model.id, deviceId: LOCAL_DEVICE_ID, settings: endless })
    await measuring(jobId)
    const log = await workspace.backend.call('jobs.log', { id: jobId })
    expect(log).toBeDefined()
    killLocalAgents()
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'failed', error: { code: 'ENGINE_DIED' } })
    expect(rows('select id from benchmarks')).toEqual([])
    expect((await workspace.result('bench.start', { modelId: model.id, deviceId: LOCAL_DEVICE_ID, settings: short })).samples).toBe(30)
  })

  test('agent on the device is killed fails clearly', async () => {
    const { jobId } = await workspace.backend.call('bench.start', { modelId: model.id, deviceId: device.id, settings: endless })
    await measuring(jobId)
    const [agent] = agentsOnDevice()
    process.kill(agent?.pid as number, 'SIGKILL')
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'failed', error: { code: 'ENGINE_DIED' } })
    expect((await workspace.result('bench.start', { modelId: model.id, deviceId: device.id, settings: short })).samples).toBe(30)
  })

  test('SSH connection is cut goes on, is followed again, and can be cancelled', async () => {
    const { jobId } = await workspace.backend.call('bench.start', { modelId: model.id, deviceId: device.id, settings: endless })
    await measuring(jobId)
    const [agent] = agentsOnDevice()
    sshDevice.cutConnections()
    const log = async () => (await workspace.backend.call('jobs.log', { id: jobId })).map(({ text }) => text)
    await expect.poll(log, { timeout: 30_000 }).toContain('Connected again: the measurement went on meanwhile')
    expect(agentsOnDevice()).toEqual([agent])
    await workspace.backend.call('jobs.cancel', { id: jobId })
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'cancelled' })
    await expect.poll(agentsOnDevice, { timeout: 10_000 }).toEqual([])
    expect((await workspace.result('bench.start', { modelId: model.id, deviceId: device.id, settings: short })).samples).toBe(30)
  })

  test('user cancels it ends within moments, here and there, and leaves no process', async () => {
    for (const deviceId of [LOCAL_DEVICE_ID, device.id]) {
      const { jobId } = await workspace.backend.call('bench.start', { modelId: model.id, deviceId, settings: endless })
      await measuring(jobId)
      await workspace.backend.call('jobs.cancel', { id: jobId })
      expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({
        state: 'cancelled',
        error: { code: 'JOB_CANCELLED' },
      })
    }
    await expect.poll(agentsOnDevice).toEqual([])
  })
})

test('accuracy on the device is the accuracy here, for the model and its INT8 build', async () => {
  const builds = (await workspace.backend.call('models.list', {})).filter(({ kind }) => kind === 'build')
  expect(builds.length).toBeGreaterThan(0)
  for (const { id } of [model, ...builds]) {
    const here = await workspace.result('evaluate.start', { modelId: id, datasetId: test_.id, deviceId: LOCAL_DEVICE_ID })
    const there = await workspace.result('evaluate.start', { modelId: id, datasetId: test_.id, deviceId: device.id })
    expect(here.classification?.correct).toBeGreaterThan(1500)
    expect(there.classification).toEqual(here.classification)
    expect(here.samples).toBe(2000)
  }
})

test('a command line beside the window: timed jobs wait for each other, each sees the other', async () => {
  const first = await workspace.backend.call('bench.start', { modelId: model.id, deviceId: LOCAL_DEVICE_ID, settings: endless })
  await measuring(first.jobId)
  const commandLine = spawn(
    process.execPath,
    [
      '--no-warnings',
      join(import.meta.dirname, '../../src/cli/cli-entry.ts'),
      'bench',
      model.name,
      '--runs',
      '30',
      '--workspace',
      workspace.folder,
      '--json',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  commandLine.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8')
  })
  const ended = once(commandLine, 'close')
  const others = async () => (await workspace.backend.call('jobs.list', { limit: 20 })).filter(({ foreign }) => foreign)
  await expect.poll(async () => (await others())[0]?.waitingFor, { timeout: 60_000 }).toContain('Latency of fashion-cnn')
  expect((await workspace.backend.call('jobs.get', { id: first.jobId })).state).toBe('running')
  await workspace.backend.call('jobs.cancel', { id: first.jobId })
  const [exitCode] = await ended
  expect(exitCode).toBe(0)
  expect(JSON.parse(printed)).toMatchObject({ samples: 30 })
  expect((await others())[0]?.state).toBe('succeeded')
})

test('removing the device leaves nothing on it', async () => {
  const { removedBytes } = await workspace.backend.call('devices.remove', { id: device.id })
  expect(removedBytes).toBeGreaterThan(50e6)
  expect(agentsOnDevice()).toEqual([])
})

/** Ends the agents this process has started. */
function killLocalAgents(): void {
  for (const line of execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)
    if (match && Number(match[2]) === process.pid && match[3]?.includes('agent.cjs')) process.kill(Number(match[1]), 'SIGKILL')
  }
}
