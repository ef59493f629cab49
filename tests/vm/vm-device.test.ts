// The whole way on a real arm64 Linux with its own kernel and systemd. Latency there says nothing and is never looked at.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/contract/dataset.ts'
import { type Device, LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import { writeSmallFiles } from '../cli/small-model.ts'
import { startVmDevice, type VmDevice } from '../devices/vm-device.ts'
import { vmProblem } from '../devices/vm-image.ts'
import { deviceInput } from '../integration/device-input.ts'
import { openWorkspace, type TestWorkspace } from '../integration/workspace.ts'

const problem = vmProblem()
describe.skipIf(problem !== null)(`an arm64 computer with systemd${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  let folder: string
  let board: VmDevice
  let workspace: TestWorkspace
  let model: Model
  let dataset: Dataset
  let device: Device

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-vm-files-'))
    board = await startVmDevice()
    workspace = await openWorkspace()
    const files = await writeSmallFiles(folder)
    model = await workspace.backend.call('models.import', { path: files.model })
    dataset = (await workspace.result('datasets.import', { path: files.labelled })).dataset
  })
  afterAll(async () => {
    await workspace?.close()
    await board?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  test('is a machine of its own, with systemd', async () => {
    expect((await board.run('uname -m')).trim()).toBe('aarch64')
    expect((await board.run('systemctl is-system-running || true')).trim()).toMatch(/^(running|degraded)$/)
  })

  test('is added, and its systemd and linger are known', async () => {
    device = await workspace.backend.call('devices.add', deviceInput(board, 'vm'))
    expect(device.report).toMatchObject({
      machine: 'aarch64',
      architecture: 'arm64',
      target: 'arm64',
      hasSystemd: true,
      systemdState: expect.stringMatching(/^(running|degraded)$/),
      linger: true,
      sudo: 'none',
      fits: true,
      home: '/home/pi',
    })
  })

  test('gets the agent, which passes its self-test', async () => {
    const pushed = await workspace.result('devices.prepare', { id: device.id })
    expect(pushed.totalBytes).toBeGreaterThan(100e6)
    const again = await workspace.result('devices.prepare', { id: device.id })
    expect(again.sentBytes).toBe(0)
  })

  test('measures, and gives the answers of this computer', async () => {
    const settings = { runs: 50, warmupRuns: 2, warmupSeconds: 0 }
    const benchmark = await workspace.result('bench.start', { modelId: model.id, deviceId: device.id, settings })
    expect(benchmark.samples).toBe(50)
    const evaluate = (deviceId: string) => workspace.result('evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId })
    expect((await evaluate(device.id)).metrics).toEqual((await evaluate(LOCAL_DEVICE_ID)).metrics)
  })

  test('serves the model, which answers through the tunnel', async () => {
    const deployment = await workspace.result('deploy.start', { modelId: model.id, deviceId: device.id, service: 'vm' })
    const { url, token } = await workspace.backend.call('deployments.connect', { id: deployment.id })
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: { x: new Array(16).fill(0.5) } }),
    })
    expect(answer.status).toBe(200)
  })

  test('keeps nothing when it is removed', async () => {
    await workspace.backend.call('devices.remove', { id: device.id })
    expect((await board.run('ls -A ~')).trim()).toBe('.ssh')
    expect(await board.run('ps -u pi -o args=')).not.toMatch(/edgesmith|agent\.cjs/)
  })
})
