// The whole way on a real arm64 Linux with its own kernel and systemd. Latency there says nothing and is never looked at.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/contract/dataset.ts'
import type { Deployed } from '../../src/contract/deployment.ts'
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
  let services: { user: Deployed; system: Deployed; before: string | null }

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
      sudo: 'without password',
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

  test('serves a model as a unit of the user and one as a unit of the system, and switches to another release', async () => {
    const user = await workspace.result('deploy.start', { modelId: model.id, deviceId: device.id, service: 'vm' })
    expect(user).toMatchObject({ supervision: 'user-unit', survivesReboot: true, rebootNote: null })
    const system = await workspace.result('deploy.start', {
      modelId: model.id,
      deviceId: device.id,
      service: 'vm-system',
      supervise: 'system',
    })
    expect(system).toMatchObject({ supervision: 'system-unit', survivesReboot: true, rebootNote: null })
    const next = await workspace.result('deploy.start', { modelId: model.id, deviceId: device.id, service: 'vm', threads: 2 })
    expect(next.release).not.toBe(user.release)
    expect(next.port).toBe(user.port)
    services = { user: next, system, before: user.release }
    expect(await board.run('systemctl --user list-units --state=active --no-legend "edgesmith-*"')).toContain('edgesmith-pi-vm.service')
    expect(await board.run('systemctl list-units --state=active --no-legend "edgesmith-*"')).toContain('edgesmith-pi-vm-system.service')
    // It serves as the user, and sees no home but its own folder.
    const unit = await board.run('systemctl show edgesmith-pi-vm-system --property=User,NoNewPrivileges,ProtectHome,MainPID')
    expect(unit).toMatch(/^User=pi$/m)
    expect(unit).toMatch(/^NoNewPrivileges=yes$/m)
    const pid = /^MainPID=(\d+)$/m.exec(unit)?.[1]
    expect((await board.run(`sudo ls -A /proc/${pid}/root/home/pi`)).trim()).toBe('.edgesmith')
    expect(await answers(services.user)).toBe(next.release)
    expect(await answers(services.system)).toBe(system.release)
  })

  test('serves on after a restart of the computer, and takes a release back', async () => {
    const bootId = () => board.run('cat /proc/sys/kernel/random/boot_id')
    const before = await bootId()
    await board.run('sudo systemctl reboot').catch(() => undefined)
    await expect.poll(() => bootId().catch(() => before), { timeout: 600_000, interval: 2000 }).not.toBe(before)
    for (const id of [services.user.id, services.system.id]) {
      await expect
        .poll(async () => (await workspace.backend.call('deployments.report', { id }).catch(() => null))?.state, {
          timeout: 600_000,
          interval: 3000,
        })
        .toBe('running')
    }
    expect(await answers(services.user)).toBe(services.user.release)
    expect(await answers(services.system)).toBe(services.system.release)
    const report = await workspace.backend.call('deployments.rollback', { id: services.user.id })
    expect(report.versions.find(({ role }) => role === 'current')?.release).toBe(services.before)
    expect(await answers(services.user)).toBe(services.before)
  })

  test('comes back when its supervisor is killed', async () => {
    const pid = async () => (await board.run('systemctl show edgesmith-pi-vm-system --property=MainPID --value')).trim()
    const before = await pid()
    await board.run(`kill -9 ${before}`)
    await expect.poll(pid, { timeout: 120_000, interval: 1000 }).not.toMatch(new RegExp(`^(0|${before})$`))
    await expect.poll(() => answers(services.system).catch(() => null), { timeout: 300_000, interval: 2000 }).toBe(services.system.release)
  })

  test('keeps nothing of services that are removed', async () => {
    for (const id of [services.user.id, services.system.id]) await workspace.backend.call('deployments.remove', { id })
    expect(
      (await board.run('ls -A ~/.edgesmith/services 2>/dev/null; ls ~/.config /etc/systemd/system 2>/dev/null; true')).toString(),
    ).not.toMatch(/edgesmith|vm/)
    expect(
      await board.run('systemctl --user list-units --all --no-legend "edgesmith-*"; systemctl list-units --all --no-legend "edgesmith-*"'),
    ).toBe('')
    expect(await board.run('ps -u pi -o args=')).not.toMatch(/ (serve|supervise) /)
  })

  test('keeps nothing when it is removed', async () => {
    await workspace.backend.call('devices.remove', { id: device.id })
    // sudo itself leaves a mark in the home of whoever used it for the first time.
    const left = (await board.run('ls -A ~')).trim().split('\n')
    expect(left.filter((name) => name !== '.sudo_as_admin_successful')).toEqual(['.ssh'])
    expect(await board.run('ps -u pi -o args=')).not.toMatch(/edgesmith|agent\.cjs/)
  })

  /** Release that answers a prediction through the tunnel. */
  async function answers({ id }: { id: string }): Promise<string> {
    const { url, token } = await workspace.backend.call('deployments.connect', { id })
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: { x: new Array(16).fill(0.5) } }),
    })
    expect(answer.status).toBe(200)
    return ((await answer.json()) as { version: string }).version
  }
})
