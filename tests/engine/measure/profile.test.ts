import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profileResultSchema } from '../../../src/contract/analysis.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { measureMachinePeak } from '../../../src/engine/measure/machine-peak.ts'
import { profile } from '../../../src/engine/measure/profile.ts'
import { activationParameters, model, pair, quantizedWeight, weights } from '../explanation/plain-models.ts'

let folder = ''
const phases = new Set<string>()
const context = (signal = new AbortController().signal) => ({
  reporter: { progress: ({ phase }: { readonly phase: string }) => void phases.add(phase), log: () => {} },
  signal,
  edgesmithVersion: '0.0.0',
})

async function profiled(built: ModelProto, batch: number) {
  const path = join(folder, 'model.onnx')
  await writeFile(path, encodeModel(built))
  return profileResultSchema.parse(await profile({ model: path, batch, threads: 1 }, context()))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-profile-'))
})
afterAll(() => rm(folder, { recursive: true }))

const pads = { pads: [1, 1, 1, 1] }
/** Convolution of 8 to 16 channels on 6 × 6 values, ReLU, product with a [576, 10] matrix. */
const head = [makeNode('Flatten', ['r'], ['f'], {}, { name: 'flatten' }), makeNode('MatMul', ['f', 'm'], ['y'], {}, { name: 'head' })]
const CONV_MACS = 16 * 6 * 6 * (8 * 3 * 3)
const HEAD_MACS = 576 * 10

describe('profile', () => {
  it('counts multiply-accumulates and bytes of float kernels as by hand, also for a fused one and a batch of 3', async () => {
    const built = model(
      ['N', 8, 6, 6],
      [makeNode('Conv', ['x', 'w'], ['c'], pads, { name: 'conv' }), makeNode('Relu', ['c'], ['r'], {}, { name: 'relu' }), ...head],
      [weights('w', [16, 8, 3, 3]), weights('m', [576, 10])],
      { y: ['N', 10] },
    )
    const result = await profiled(built, 3)
    const conv = result.kernels.find(({ layer }) => layer === 'conv')!
    expect(conv).toMatchObject({
      nodes: ['conv', 'relu'],
      precision: 'float32',
      macs: 3 * CONV_MACS,
      weightBytes: 4 * 16 * 8 * 9,
      inputBytes: 4 * 3 * 8 * 36,
      outputBytes: 4 * 3 * 16 * 36,
      outputShape: [3, 16, 6, 6],
    })
    const product = result.kernels.find(({ layer }) => layer === 'head')!
    expect(product).toMatchObject({ macs: 3 * HEAD_MACS, weightBytes: 4 * 576 * 10, inputBytes: 4 * 3 * 576, outputBytes: 4 * 3 * 10 })
    const layer = result.byLayer.find(({ layer: name }) => name === 'conv')!
    expect(layer).toMatchObject({ op: 'Conv', macs: 3 * CONV_MACS, bytes: 4 * (16 * 8 * 9 + 3 * 8 * 36 + 3 * 16 * 36) })
    expect(result.byOp.reduce((sum, { macs }) => sum + (macs ?? 0), 0)).toBe(3 * (CONV_MACS + HEAD_MACS))
    expect(result.byOp.reduce((sum, { count }) => sum + count, 0)).toBe(result.kernels.length)
    const [kernels, layers] = [result.kernels, result.byLayer].map((rows) => rows.reduce((sum, { ms }) => sum + ms, 0))
    expect(layers).toBeCloseTo(kernels!, 9)
    expect(result).toMatchObject({ batch: 3, threads: 1 })
    expect(result.plainMs).toBeGreaterThan(0)
    expect(result.runs).toBeGreaterThanOrEqual(3)
    expect([...phases]).toEqual(['load', 'measure', 'profile', 'machine peak'])
    for (const peak of Object.values(result.peak!)) expect(peak).toBeGreaterThan(0)
  })

  it('counts 8-bit kernels by the nodes they were made of', async () => {
    const w = quantizedWeight('w', [16, 8, 3, 3])
    const m = quantizedWeight('m', [576, 10])
    const built = model(
      [1, 8, 6, 6],
      [
        ...pair('x', 'xd'),
        w.node,
        m.node,
        makeNode('Conv', ['xd', 'w'], ['c'], pads, { name: 'conv' }),
        ...pair('c', 'r'),
        makeNode('Flatten', ['r'], ['f'], {}, { name: 'flatten' }),
        ...pair('f', 'fd'),
        makeNode('MatMul', ['fd', 'm'], ['p'], {}, { name: 'head' }),
        ...pair('p', 'y'),
      ],
      [...w.tensors, ...m.tensors, ...activationParameters],
      { y: [1, 10] },
    )
    const { byLayer, kernels } = await profiled(built, 1)
    expect(byLayer.find(({ layer }) => layer === 'conv')).toMatchObject({ kernels: ['QLinearConv'], precision: 'int8', macs: CONV_MACS })
    const product = kernels.find(({ layer }) => layer === 'head')!
    expect(product).toMatchObject({ kernel: 'QLinearMatMul', precision: 'int8', macs: HEAD_MACS, inputBytes: 576, outputBytes: 10 })
    // 8-bit weights, their scale and zero point, and the ones that input and output share.
    expect(product.weightBytes).toBe(576 * 10 + (4 + 1) + (4 + 1))
  })

  it('stops when it is cancelled', async () => {
    const path = join(folder, 'cancelled.onnx')
    await writeFile(path, encodeModel(model([1, 4], [makeNode('Relu', ['x'], ['y'])], [], { y: [1, 4] })))
    await expect(profile({ model: path, batch: 1, threads: 1 }, context(AbortSignal.abort()))).rejects.toMatchObject({
      code: 'JOB_CANCELLED',
    })
  })

  it.each([
    ['a file that is not there', 'missing.onnx', 1, 'ENOENT'],
    ['a batch the model cannot take', 'cancelled.onnx', 2, 'USAGE'],
  ])('refuses %s', async (_, name, batch, code) => {
    await expect(profile({ model: join(folder, name), batch, threads: 1 }, context())).rejects.toMatchObject({ code })
  })
})

describe('measureMachinePeak', () => {
  it('answers finite rates and looks up between runs', async () => {
    const seen: number[] = []
    const peak = await measureMachinePeak(2, (done, total) => seen.push(done / total))
    expect(seen.length).toBeGreaterThanOrEqual(3)
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    for (const rate of Object.values(peak)) expect(Number.isFinite(rate) && (rate as number) > 0).toBe(true)
    const stop = measureMachinePeak(1, () => {
      throw new Error('enough')
    })
    await expect(stop).rejects.toThrow('enough')
  })
})
