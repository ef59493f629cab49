// The whole way on a board with an ARM processor, emulated program by program. Latency there says nothing and is never looked at.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Dataset } from '../../src/contract/dataset.ts'
import { type Device, LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import { SAMPLES, writeSmallFiles } from '../cli/small-model.ts'
import { type Arm64Device, type Arm64DeviceOptions, arm64DeviceProblem, startArm64Device } from '../devices/arm64-device.ts'
import { elfMachine } from '../devices/elf-machine.ts'
import { deviceInput } from './device-input.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

/** In elf.h: EM_AARCH64. */
const AARCH64 = 183
/** Outputs of the same model on x86-64 and emulated ARM were found to differ by 2e-7; ten times as much is allowed. */
const roundingDifference = 2e-6
/** A fifteenth of it is enough on a quiet computer; with other tests beside it everything emulated takes its time. */
const timeoutMs = 600_000

const problem = await arm64DeviceProblem()
if (problem !== null) console.warn(`No arm64 test device: ${problem}`)
const because = problem === null ? '' : ` (skipped: ${problem})`

let workspace: TestWorkspace
beforeAll(async () => {
  workspace = await openWorkspace()
})
afterAll(() => workspace.close())

describe.skipIf(problem !== null)(`a Raspberry Pi 5${because}`, () => {
  let folder: string
  let board: Arm64Device
  let model: Model
  let dataset: Dataset
  let device: Device

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-arm64-files-'))
    board = await startArm64Device({ board: 'pi5' })
    const files = await writeSmallFiles(folder)
    model = await workspace.backend.call('models.import', { path: files.model })
    dataset = (await workspace.result('datasets.import', { path: files.labelled })).dataset
  }, timeoutMs)
  afterAll(async () => {
    await board?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    'is recognised',
    async () => {
      device = await workspace.backend.call('devices.add', deviceInput(board, 'pi'))
      expect(device.report).toMatchObject({
        machine: 'aarch64',
        architecture: 'arm64',
        longBits: 64,
        board: 'Raspberry Pi 5 Model B Rev 1.0',
        soc: 'bcm2712',
        cpu: 'Cortex-A76',
        cpuFeatures: expect.arrayContaining(['asimddp']),
        target: 'arm64-dotprod',
        governor: 'ondemand',
        maxClockMhz: 2400,
        temperatureC: 48.312,
        // Since boot: soft temperature limit apart, it was throttled and had too low a voltage.
        throttled: 0x50000,
        jetson: null,
        sudo: 'none',
        fits: true,
        home: board.homeThere,
      })
    },
    timeoutMs,
  )

  test(
    'gets an agent of arm64 programs only, which passes its self-test',
    async () => {
      const job = await workspace.job('devices.prepare', { id: device.id })
      expect(job).toMatchObject({ state: 'succeeded', error: null })
      const lines = await workspace.backend.call('jobs.log', { id: job.id })
      expect(lines.map(({ text }) => text).join('\n')).toMatch(/Self-test passed: .*Node 22\..*ONNX Runtime 1\.30\..*arm64/)
      const [runtime, ...others] = readdirSync(join(board.home, '.edgesmith', 'runtime'))
      expect(others).toEqual([])
      const programs = join(board.home, '.edgesmith', 'runtime', runtime as string)
      for (const name of ['node', 'onnxruntime_binding.node', 'libonnxruntime.so.1']) expect(elfMachine(join(programs, name))).toBe(AARCH64)
    },
    timeoutMs,
  )

  test(
    'measures',
    async () => {
      const settings = { runs: 20, warmupRuns: 1, warmupSeconds: 0 }
      const { jobId } = await workspace.backend.call('bench.start', { modelId: model.id, deviceId: device.id, settings })
      await expect
        .poll(() => board.processes().filter(({ command }) => command.includes('agent.cjs')), { timeout: timeoutMs, interval: 100 })
        .not.toEqual([])
      // What runs there is the emulator, and nothing of this computer's processor. A process that has just ended has no program any more.
      for (const { exe } of board.processes()) expect(exe).toMatch(/qemu-aarch64|^$/)
      const job = await workspace.backend.call('jobs.wait', { id: jobId })
      expect(job).toMatchObject({ state: 'succeeded', result: { samples: 20, deviceId: device.id } })
    },
    timeoutMs,
  )

  test(
    'gives the answers of this computer',
    async () => {
      const evaluate = (deviceId: string) => workspace.result('evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId })
      const [there, here] = [await evaluate(device.id), await evaluate(LOCAL_DEVICE_ID)]
      expect(there.samples).toBe(SAMPLES)
      expect(there.metrics).toEqual(here.metrics)
      const parity = await workspace.result('parity.start', { modelId: model.id, datasetId: dataset.id, deviceId: device.id, samples: 16 })
      if (parity.kind !== 'parity') expect.fail(`an analysis of kind ${parity.kind}`)
      expect(parity.result.outputs.map(({ name }) => name)).toEqual(['logits'])
      expect(parity.result.outputs[0]?.maxAbsDiff).toBeLessThanOrEqual(roundingDifference)
      expect(parity.result.top1Agreement).toBe(1)
      expect(parity.result.verdict).not.toBe('different')
    },
    timeoutMs,
  )

  test(
    'keeps nothing when it is removed',
    async () => {
      const { removedBytes } = await workspace.backend.call('devices.remove', { id: device.id })
      expect(removedBytes).toBeGreaterThan(100e6)
      expect(readdirSync(board.home)).toEqual([])
      await expect.poll(() => board.processes()).toEqual([])
    },
    timeoutMs,
  )
})

describe.skipIf(problem !== null)(`a Jetson${because}`, () => {
  test(
    'Orin Nano is recognised',
    async () => {
      const board = await startArm64Device({ board: 'orin' })
      try {
        const { id, report } = await workspace.backend.call('devices.add', deviceInput(board, 'orin'))
        expect(report).toMatchObject({
          board: 'NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super',
          soc: 'tegra234',
          system: 'Ubuntu 22.04.5 LTS',
          jetson: expect.stringMatching(/^# R36 .*REVISION: 4\.3/),
          l4t: '36.4.3',
          jetPack: expect.stringMatching(/^6\.2/),
          powerMode: { name: '15W', id: 0 },
          tensorRt: expect.stringMatching(/^10\.3\.0/),
          cuda: expect.stringMatching(/^12\.6/),
          trtexec: '/usr/src/tensorrt/bin/trtexec',
          fits: true,
        })
        expect(report?.powerRails).toContainEqual({ name: 'VDD_IN', watts: 5.25 })
        await workspace.backend.call('devices.remove', { id })
        expect(readdirSync(board.home)).toEqual([])
      } finally {
        await board.stop()
      }
    },
    timeoutMs,
  )
})

describe.skipIf(problem !== null)(`a board that cannot be used${because}`, () => {
  const cases: readonly [what: string, options: Arm64DeviceOptions, code: string, said: RegExp][] = [
    ['Jetson Nano with JetPack 4', { board: 'nano-jetpack-4' }, 'DEVICE_GLIBC_TOO_OLD', /2\.27.*2\.28/],
    ['Raspberry Pi OS for 32 bits', { board: 'pi4', userLandBits: 32 }, 'DEVICE_UNSUPPORTED', /32-bit \(arm\).*64-bit/],
  ]
  test.each(cases)(
    '%s is refused before anything is sent',
    async (_, options, code, said) => {
      const board = await startArm64Device(options)
      try {
        const adding = workspace.backend.call('devices.add', deviceInput(board, 'refused'))
        await expect(adding).rejects.toMatchObject({ code, message: expect.stringMatching(said) })
        expect(readdirSync(board.home)).toEqual([])
        await expect.poll(() => board.processes()).toEqual([])
      } finally {
        await board.stop()
      }
    },
    timeoutMs,
  )
})
