import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explanationSchema } from '../../../src/contract/analysis.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { explain } from '../../../src/engine/measure/explain.ts'
import { activationParameters, model, pair, quantizedWeight, weights } from '../explanation/plain-models.ts'

let folder = ''
const file = (name: string) => join(folder, name)
const phases: string[] = []
const context = (signal = new AbortController().signal) => ({
  reporter: { progress: ({ phase }: { readonly phase: string }) => void phases.push(phase), log: () => {} },
  signal,
  edgesmithVersion: '0.0.0',
})
const request = (baseline: string, built: string, settings = {}) => ({
  baseline: file(baseline),
  model: file(built),
  batch: 1,
  threads: 1,
  ...settings,
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-explain-'))
  const pads = { pads: [1, 1, 1, 1] }
  const w = quantizedWeight('w', [32, 32, 3, 3])
  const plain = model(['N', 32, 8, 8], [makeNode('Conv', ['x', 'w'], ['y'], pads, { name: 'layer' })], [weights('w', [32, 32, 3, 3])], {
    y: ['N', 32, 8, 8],
  })
  const quantized = model(
    ['N', 32, 8, 8],
    [w.node, ...pair('x', 'xd'), makeNode('Conv', ['xd', 'w'], ['c'], pads, { name: 'layer' }), ...pair('c', 'y')],
    [...w.tensors, ...activationParameters],
    { y: ['N', 32, 8, 8] },
  )
  await writeFile(file('plain.onnx'), encodeModel(plain))
  await writeFile(file('quantized.onnx'), encodeModel(quantized))
  await writeFile(file('broken.onnx'), 'not a model')
})
afterAll(() => rm(folder, { recursive: true }))

describe('explain', () => {
  it('answers what the contract says, for a build beside its baseline', async () => {
    const result = explanationSchema.parse(await explain(request('plain.onnx', 'quantized.onnx', { batch: 2 }), context()))
    expect(result.baselineMs).toBeGreaterThan(0)
    expect(result.buildMs).toBeGreaterThan(0)
    const layer = result.nodes.find(({ node }) => node === 'layer')!
    expect(layer.build?.kernels).toEqual(['QLinearConv'])
    expect(layer.lostMs).toBeCloseTo(layer.build!.ms - layer.baseline!.ms, 9)
    expect(result.kernels.map(({ kernel }) => kernel)).toContain('QLinearConv')
    expect([...new Set(phases)]).toEqual(['load', 'measure', 'profile'])
  })

  it('finds no difference in kernels between a model and itself', async () => {
    const result = await explain(request('plain.onnx', 'plain.onnx'), context())
    expect(result.findings.map(({ rule }) => rule)).toContain('same-kernels')
    expect(result.nodes.every(({ baseline, build }) => baseline !== null && build !== null)).toBe(true)
    expect(result.advice).toBeNull()
  })

  it('names every layer of a real network', async () => {
    const path = fileURLToPath(new URL('../../../models/fashion-mobilenet.onnx', import.meta.url))
    const result = await explain({ baseline: path, model: path, batch: 1, threads: 1 }, context())
    const convolutions = decodeModel(await readFile(path), 'the model')
      .graph!.node.filter(({ opType }) => opType === 'Conv')
      .map(({ name }) => name)
    expect(convolutions).toHaveLength(13)
    expect(result.nodes.map(({ node }) => node)).toEqual(expect.arrayContaining(convolutions))
  })

  it.each([
    ['a file that is not there', 'plain.onnx', 'missing.onnx', {}, { code: 'ENOENT' }],
    ['a file that is no model', 'plain.onnx', 'broken.onnx', {}, { code: 'MODEL_LOAD_FAILED' }],
  ])('refuses %s', async (_, baseline, built, settings, error) => {
    await expect(explain(request(baseline, built, settings), context())).rejects.toMatchObject(error)
  })

  it('stops when it is cancelled', async () => {
    await expect(explain(request('plain.onnx', 'quantized.onnx'), context(AbortSignal.abort()))).rejects.toMatchObject({
      code: 'JOB_CANCELLED',
    })
  })
})
