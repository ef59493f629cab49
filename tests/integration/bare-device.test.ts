// A board that has nothing: no network, no sudo, no Node in an empty home directory, and no programs but coreutils and tar. Everything works.

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/contract/dataset.ts'
import type { Device } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import { ACCURACY, SAMPLES, writeSmallFiles } from '../cli/small-model.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { closedDeviceProblem, startClosedDevice } from '../devices/closed-device.ts'
import type { SshDevice } from '../devices/ssh-device.ts'
import { deviceInput } from './device-input.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

const problem = closedDeviceProblem()
describe.skipIf(problem !== null)(`a board with nothing but coreutils and tar${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  let folder: string
  let board: SshDevice
  let workspace: TestWorkspace
  let model: Model
  let dataset: Dataset
  let device: Device

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-bare-'))
    chmodSync(folder, 0o755)
    board = await startClosedDevice({ path: makeBarePath(join(folder, 'bin')) })
    workspace = await openWorkspace()
    const files = await writeSmallFiles(folder)
    model = await workspace.backend.call('models.import', { path: files.model })
    dataset = (await workspace.result('datasets.import', { path: files.labelled })).dataset
  })
  afterAll(async () => {
    await workspace?.close()
    await board?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('is added, and is known to have no sudo', async () => {
    device = await workspace.backend.call('devices.add', deviceInput(board, 'bare'))
    expect(device.report).toMatchObject({ fits: true, sudo: 'none', home: expect.stringContaining('/home') })
  })

  test('gets the agent, measures and evaluates', async () => {
    const pushed = await workspace.result('devices.prepare', { id: device.id })
    expect(pushed.totalBytes).toBeGreaterThan(100e6)
    const settings = { runs: 30, warmupRuns: 2, warmupSeconds: 0 }
    const benchmark = await workspace.result('bench.start', { modelId: model.id, deviceId: device.id, settings })
    expect(benchmark.samples).toBe(30)
    expect(benchmark.latencyMs.p50).toBeGreaterThan(0)
    const evaluation = await workspace.result('evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId: device.id })
    expect(evaluation.samples).toBe(SAMPLES)
    expect(evaluation.metrics.accuracy).toBeCloseTo(ACCURACY, 6)
  })

  test('serves the model, which answers through the tunnel', async () => {
    const deployment = await workspace.result('deploy.start', { modelId: model.id, deviceId: device.id, service: 'bare' })
    const { url, token } = await workspace.backend.call('deployments.connect', { id: deployment.id })
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: { x: new Array(16).fill(0.5) } }),
    })
    expect(answer.status).toBe(200)
    expect(board.processes().filter(({ command }) => command.includes('.edgesmith'))).not.toEqual([])
  })

  test('keeps nothing when it is removed', async () => {
    const { removedBytes } = await workspace.backend.call('devices.remove', { id: device.id })
    expect(removedBytes).toBeGreaterThan(100e6)
    expect(readdirSync(board.home)).toEqual(['.ssh'])
    await expect.poll(() => board.processes()).toEqual([])
  })
})
