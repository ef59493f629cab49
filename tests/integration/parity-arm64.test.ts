// Two processors that add 8-bit products differently: this computer (x86-64) and an emulated ARM board.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ParityResult } from '../../src/contract/parity.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { type Arm64Device, arm64DeviceProblem, startArm64Device } from '../devices/arm64-device.ts'
import { deviceInput } from './device-input.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

const timeoutMs = 600_000
const problem = await arm64DeviceProblem()
if (problem !== null) console.warn(`No arm64 test device: ${problem}`)

/** x86-64 with 8-bit dot products adds them exactly, as ARM does. */
const exactHere = /\b(avx512_vnni|avx_vnni|amx_int8)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))

const scalar = (name: string, value: number) => makeTensor(name, 'float32', [], Float32Array.of(value))

/** A convolution in 8 bits from [N, 16, 4, 4] to 8 channels of `weight`, then one in float32. */
function quantized(weight: number): Uint8Array {
  const pair = (from: string, to: string, scale: string, zero: string) => [
    makeNode('QuantizeLinear', [from, scale, zero], [`${to}_q`], {}, { name: `Q_${to}` }),
    makeNode('DequantizeLinear', [`${to}_q`, scale, zero], [to], {}, { name: `DQ_${to}` }),
  ]
  return encodeModel(
    makeModel({
      nodes: [
        ...pair('x', 'xd', 'xs', 'xz'),
        makeNode('DequantizeLinear', ['w8', 'ws', 'wz'], ['w'], {}, { name: 'DQ_w' }),
        makeNode('Conv', ['xd', 'w'], ['raw'], {}, { name: 'saturating' }),
        ...pair('raw', 'y', 'ys', 'yz'),
      ],
      initializers: [
        scalar('xs', 1 / 255),
        makeTensor('xz', 'uint8', [], Uint8Array.of(0)),
        makeTensor('w8', 'int8', [8, 16, 1, 1], new Int8Array(128).fill(weight)),
        scalar('ws', 1 / 127),
        makeTensor('wz', 'int8', [], Int8Array.of(0)),
        scalar('ys', 16 / 255),
        makeTensor('yz', 'uint8', [], Uint8Array.of(0)),
      ],
      inputs: [makeValueInfo('x', 'float32', ['N', 16, 4, 4])],
      outputs: [makeValueInfo('y', 'float32', ['N', 8, 4, 4])],
    }),
  )
}

describe.skipIf(problem !== null)(`parity with a Raspberry Pi 5${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  let workspace: TestWorkspace
  let board: Arm64Device
  let deviceId: string

  beforeAll(async () => {
    workspace = await openWorkspace()
    board = await startArm64Device({ board: 'pi5' })
    deviceId = (await workspace.backend.call('devices.add', deviceInput(board, 'pi'))).id
  }, timeoutMs)
  afterAll(async () => {
    await workspace.close()
    await board?.stop()
  }, timeoutMs)

  const parityOf = async (name: string, bytes: Uint8Array): Promise<ParityResult> => {
    const path = join(workspace.folder, `${name}.onnx`)
    await writeFile(path, bytes)
    const model = await workspace.backend.call('models.import', { path })
    const analysis = await workspace.result('parity.start', { modelId: model.id, deviceId, samples: 2 })
    if (analysis.kind !== 'parity') throw new Error(`a parity was asked for, found ${analysis.kind}`)
    return analysis.result
  }

  test(
    'finds the layer whose products saturate on one of the two, and says so',
    async () => {
      // Two products of up to 255 · 127 do not fit 16 bits.
      const found = await parityOf('large', quantized(127))
      expect(found.there.architecture).toBe('arm64')
      if (exactHere) expect(found.verdict).not.toBe('different')
      else {
        expect(found).toMatchObject({
          verdict: 'different',
          outputs: [{ name: 'y' }],
          advice: expect.stringContaining('target of the device'),
        })
        expect(found.suspects[0]).toMatchObject({
          layer: 'saturating',
          op: 'Conv',
          message: expect.stringContaining('this computer is x64 without VNNI'),
        })
      }
    },
    timeoutMs,
  )

  test(
    'finds nothing where no pair of products can saturate',
    async () => {
      // 2 · 255 · 63 fit.
      const found = await parityOf('small', quantized(63))
      expect(found.verdict).not.toBe('different')
      expect(found.suspects).toEqual([])
    },
    timeoutMs,
  )
})
