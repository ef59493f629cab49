import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Device, LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { identityModel, linearModel, slowModel } from '../engine/measure/small-models.ts'
import { modelsFolder, openWorkspace, type TestWorkspace } from './workspace.ts'

const NAMES = ['one', 'two', 'three', 'four', 'five'] as const

let workspace: TestWorkspace
const boards: SshDevice[] = []
const devices: Device[] = []
const models: Record<string, string> = {}

beforeAll(async () => {
  // Each board stands for one with a processor of its own.
  workspace = await openWorkspace({ machineKey: ({ id }) => id, linkPatienceMs: 2000 })
  const files = { linear: linearModel('N', [[1, 2]]), fixed: identityModel(2, [3]), slow: slowModel(256, 10) }
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(workspace.folder, `${name}.onnx`)
    await writeFile(path, bytes)
    models[name] = (await workspace.backend.call('models.import', { path })).id
  }
  for (const name of NAMES) {
    const board = await startSshDevice()
    boards.push(board)
    const { host, port, user, hostFingerprint: hostKey } = board
    // The user's own key, which stays when the board is gone.
    const keyPath = join(workspace.folder, `${name}.key`)
    await copyFile(board.keyPath, keyPath)
    const auth = { method: 'key' as const, keyPath }
    devices.push(await workspace.backend.call('devices.add', { name, host, port, user, auth, hostKey }))
  }
}, 120_000)
afterAll(async () => {
  await workspace.close()
  for (const board of boards) await board.stop()
}, 60_000)

const quick = { runs: 70, warmupRuns: 2, warmupSeconds: 0 }
const id = (name: string) => models[name] as string
const deviceIds = (count: number) => devices.slice(0, count).map((device) => device.id)

describe('matrix.start', () => {
  it('measures every build on every device, and keeps each as a benchmark of its own', async () => {
    const matrix = await workspace.result('matrix.start', {
      modelIds: [id('linear'), id('slow'), id('linear')],
      deviceIds: [LOCAL_DEVICE_ID, ...deviceIds(2)],
      settings: quick,
    })
    expect(matrix.models.map(({ name }) => name)).toEqual(['linear', 'slow'])
    expect(matrix.devices.map(({ name }) => name)).toEqual(['this-computer', 'one', 'two'])
    expect(matrix.cells).toHaveLength(6)
    for (const cell of matrix.cells) {
      expect(cell).toMatchObject({ error: null, evaluationId: null, metric: null })
      expect(cell.p50Ci![0]).toBeLessThanOrEqual(cell.p50Ms!)
      expect(cell.p50Ci![1]).toBeGreaterThanOrEqual(cell.p50Ms!)
      const [stored] = (await workspace.backend.call('benchmarks.list', { modelId: cell.modelId })).filter(
        (run) => run.id === cell.benchmarkId,
      )
      expect(stored).toMatchObject({ deviceId: cell.deviceId, jobId: matrix.jobId, samples: 70, latencyMs: { p50: cell.p50Ms } })
    }
    expect((await workspace.backend.call('matrices.list', {})).map((stored) => stored.id)).toContain(matrix.id)
  }, 120_000)

  it('evaluates every build where a dataset is given, and goes on after a build that a device cannot run', async () => {
    const model = await workspace.backend.call('models.import', { path: join(modelsFolder, 'fashion-cnn.onnx') })
    const { dataset } = await workspace.result('datasets.import', { path: join(modelsFolder, 'fashion-mnist-calibration.npz') })
    const job = await workspace.job('matrix.start', {
      modelIds: [id('fixed'), model.id],
      deviceIds: deviceIds(1),
      settings: quick,
      datasetId: dataset.id,
    })
    expect(job).toMatchObject({ state: 'succeeded' })
    const [matrix] = await workspace.backend.call('matrices.list', {})
    // The first takes batches of two only.
    expect(matrix!.cells[0]).toMatchObject({
      benchmarkId: null,
      p50Ms: null,
      error: { code: 'USAGE', message: expect.stringContaining('batch 2') },
    })
    expect(matrix!.cells[1]).toMatchObject({ error: null, metric: { name: dataset.report.labelled ? 'accuracy' : 'sqnrDb' } })
    const log = (await workspace.backend.call('jobs.log', { id: job.id })).map(({ text }) => text)
    expect(log.some((text) => text.startsWith('one: fixed: USAGE'))).toBe(true)
    const written = await workspace.backend.call('report.write', { matrixIds: [matrix!.id], path: join(workspace.folder, 'matrix.json') })
    expect((await workspace.backend.call('reports.get', { id: written.id })).matrices).toEqual([matrix])
  }, 120_000)

  it('fails when nothing could be measured anywhere, with the reason', async () => {
    const job = await workspace.job('matrix.start', { modelIds: [id('fixed')], deviceIds: deviceIds(2), settings: quick })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'USAGE', details: { fixedBatch: 2 } } })
    await expect(
      workspace.backend.call('matrix.start', { modelIds: [id('fixed')], deviceIds: deviceIds(1), settings: { scenario: 'server' } }),
    ).rejects.toMatchObject({ code: 'USAGE' })
  }, 60_000)

  it('stops on all devices when it is cancelled, and keeps no matrix', async () => {
    const before = (await workspace.backend.call('matrices.list', {})).length
    const { jobId } = await workspace.backend.call('matrix.start', {
      modelIds: [id('slow')],
      deviceIds: deviceIds(3),
      settings: { ...quick, seconds: 3600 },
    })
    const phase = async () => (await workspace.backend.call('jobs.get', { id: jobId })).progress?.phase ?? ''
    await expect.poll(phase, { timeout: 60_000 }).toMatch(/one: measuring.*two: measuring.*three: measuring/)
    await workspace.backend.call('jobs.cancel', { id: jobId })
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'cancelled' })
    expect(await workspace.backend.call('matrices.list', {})).toHaveLength(before)
    await expect
      .poll(() => boards.flatMap((board) => board.processes().filter(({ command }) => / run$| work /.test(command))), { timeout: 20_000 })
      .toEqual([])
  }, 120_000)

  it('goes on with four devices when the fifth dies in the middle, and says so', async () => {
    const { jobId } = await workspace.backend.call('matrix.start', {
      modelIds: [id('slow'), id('linear')],
      deviceIds: deviceIds(5),
      settings: { ...quick, seconds: 4 },
    })
    const phase = async () => (await workspace.backend.call('jobs.get', { id: jobId })).progress?.phase ?? ''
    await expect.poll(phase, { timeout: 90_000, interval: 100 }).toMatch(/five: measuring/)
    await boards.pop()!.stop()
    const job = await workspace.backend.call('jobs.wait', { id: jobId })
    expect(job).toMatchObject({ state: 'succeeded', progress: { done: 10, total: 10, unit: 'cells' } })
    const [matrix] = await workspace.backend.call('matrices.list', {})
    const states = NAMES.map((name, index) => [
      name,
      matrix!.cells.filter((cell) => cell.deviceId === devices[index]!.id).map(({ error }) => error?.code ?? 'measured'),
    ])
    expect(Object.fromEntries(states)).toEqual({
      one: ['measured', 'measured'],
      two: ['measured', 'measured'],
      three: ['measured', 'measured'],
      four: ['measured', 'measured'],
      five: ['CONNECTION_LOST', 'CONNECTION_LOST'],
    })
    const log = (await workspace.backend.call('jobs.log', { id: jobId })).map(({ text }) => text)
    expect(log.some((text) => text.startsWith('five: CONNECTION_LOST') && text.includes('2 of 2 builds are not measured here'))).toBe(true)
  }, 180_000)
})
