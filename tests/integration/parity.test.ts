import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Device, LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { modelsFolder, openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
let board: SshDevice
let device: Device
let modelId: string
let datasetId: string

beforeAll(async () => {
  workspace = await openWorkspace()
  board = await startSshDevice()
  const { host, port, user, keyPath, hostFingerprint: hostKey } = board
  device = await workspace.backend.call('devices.add', { name: 'board', host, port, user, auth: { method: 'key', keyPath }, hostKey })
  modelId = (await workspace.backend.call('models.import', { path: join(modelsFolder, 'fashion-cnn.onnx') })).id
  datasetId = (await workspace.result('datasets.import', { path: join(modelsFolder, 'fashion-mnist-test.npz') })).dataset.id
}, 120_000)
afterAll(async () => {
  await workspace.close()
  await board.stop()
}, 60_000)

describe('parity.start', () => {
  it('finds a device with the same processor and software identical, and keeps the result as an analysis', async () => {
    const analysis = await workspace.result('parity.start', { modelId, deviceId: device.id, datasetId, samples: 20 })
    expect(analysis).toMatchObject({
      kind: 'parity',
      modelId,
      baselineId: null,
      datasetId,
      deviceId: device.id,
      result: { verdict: 'identical', samples: 20, top1Agreement: 1, inputs: 'fashion-mnist-test', suspects: [], advice: null },
    })
    if (analysis.kind !== 'parity') throw new Error('unexpected')
    expect(analysis.result.outputs).toEqual([
      { name: 'probabilities', shape: [20, 10], sqnrDb: null, maxAbsDiff: 0, meanAbsDiff: 0, cosine: 1 },
    ])
    expect(analysis.result.layers.length).toBeGreaterThan(5)
    expect(await workspace.backend.call('analyses.list', { modelId, kind: 'parity' })).toMatchObject([{ id: analysis.id, profile: null }])
    expect(await workspace.backend.call('analyses.get', { id: analysis.id })).toEqual(analysis)
    const written = await workspace.backend.call('report.write', { analysisIds: [analysis.id], path: join(workspace.folder, 'parity.md') })
    expect((await workspace.backend.call('reports.get', { id: written.id })).analyses).toEqual([analysis])
  }, 120_000)

  it('does without data: both machines make up the same inputs', async () => {
    const analysis = await workspace.result('parity.start', { modelId, deviceId: device.id, samples: 5 })
    expect(analysis).toMatchObject({ datasetId: null, result: { verdict: 'identical', samples: 5, inputs: 'made-up inputs' } })
  }, 60_000)

  it('refuses to compare this computer with itself', async () => {
    await expect(workspace.backend.call('parity.start', { modelId, deviceId: LOCAL_DEVICE_ID })).rejects.toMatchObject({ code: 'USAGE' })
  })
})
