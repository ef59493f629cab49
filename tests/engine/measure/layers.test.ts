import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layerComparisonSchema } from '../../../src/contract/analysis.ts'
import { layoutGraph } from '../../../src/core/graph-drawing/layout-graph.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { encodeWithOutputs } from '../../../src/core/quantization/tensor-facts.ts'
import { makeBenchmarkInputs } from '../../../src/engine/measure/benchmark-inputs.ts'
import { layers } from '../../../src/engine/measure/layers.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { activationParameters, model, pair, quantizedWeight, weights } from '../explanation/plain-models.ts'

let folder = ''
const context = (signal = new AbortController().signal) => ({
  reporter: { progress: () => {}, log: () => {} },
  signal,
  edgesmithVersion: '0.0.0',
})

async function compared(baseline: ModelProto, build: ModelProto, samples = 4) {
  const paths = { baseline: join(folder, 'baseline.onnx'), model: join(folder, 'build.onnx') }
  await writeFile(paths.baseline, encodeModel(baseline))
  await writeFile(paths.model, encodeModel(build))
  return layerComparisonSchema.parse(await layers({ ...paths, dataset: null, samples, batch: 1, threads: 1 }, context()))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-layers-'))
})
afterAll(() => rm(folder, { recursive: true }))

const pads = { pads: [1, 1, 1, 1] }
const conv = (from: string, weight: string, to: string, name: string) => makeNode('Conv', [from, weight], [to], pads, { name })

const float = () =>
  model(
    ['N', 8, 6, 6],
    [
      conv('x', 'w', 'c', 'first'),
      makeNode('Relu', ['c'], ['r'], {}, { name: 'relu' }),
      conv('r', 'v', 'd', 'second'),
      makeNode('Add', ['d', 'x'], ['y'], {}, { name: 'add' }),
    ],
    [weights('w', [8, 8, 3, 3]), weights('v', [8, 8, 3, 3])],
    { y: ['N', 8, 6, 6] },
  )

/** Its first convolution in 8 bits, the ReLU taken in by the quantized range; the rest as it was. */
function half(): ModelProto {
  const w = quantizedWeight('w', [8, 8, 3, 3])
  const build = float()
  build.graph!.node = [
    ...pair('x', 'xd'),
    w.node,
    conv('xd', 'w', 'raw', 'first'),
    ...pair('raw', 'r', ['s', 'zero']),
    ...build.graph!.node.slice(2),
  ]
  build.graph!.initializer = [
    ...build.graph!.initializer.slice(1),
    ...w.tensors,
    ...activationParameters,
    { ...activationParameters[1]!, name: 'zero', rawData: Uint8Array.of(0) },
  ]
  return build
}

/** 10·log10(Σ a² / Σ (a − b)²), written down once more. */
function signalToNoise(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  let [signal, noise] = [0, 0]
  for (let index = 0; index < expected.length; index++) {
    signal += expected[index]! ** 2
    noise += (expected[index]! - found[index]!) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

describe('layers', () => {
  it('matches layers in graph order, with the signal to noise of an independent computation', async () => {
    const [baseline, build] = [float(), half()]
    const result = await compared(baseline, build)
    const known = ['first', 'second', 'add']
    const named = result.layers.map(({ layer }) => layer).filter((layer) => known.includes(layer))
    expect(named.slice(0, 2)).toEqual(['first', 'second'])
    const first = result.layers.find(({ layer }) => layer === 'first')!
    expect(first.op).toBe('Conv')
    expect(first.baseline!.precision).toBe('float32')
    expect(first.build).toMatchObject({ precision: 'int8', kernels: ['QLinearConv'] })
    expect(first.lostMs).toBeCloseTo(first.build!.ms - first.baseline!.ms, 9)

    const before = await onnxRuntime.load(encodeWithOutputs(baseline, ['r', 'y']), { optimization: 'disabled' })
    const after = await onnxRuntime.load(encodeWithOutputs(build, ['r', 'y']), { optimization: 'disabled' })
    const { feeds } = makeBenchmarkInputs(before.inputs, 4)
    const [expected, found] = [await before.run(feeds), await after.run(feeds)]
    const db = (tensor: string) => signalToNoise(expected[tensor]!.values as Float32Array, found[tensor]!.values as Float32Array)
    expect(first.sqnrDb).toBeCloseTo(db('r'), 6)
    // On x64 the addition may be part of the convolution's kernel.
    expect(result.layers.find(({ layer }) => layer === named.at(-1))!.sqnrDb).toBeCloseTo(db('y'), 6)
    await before.close()
    await after.close()
    expect(result).toMatchObject({ samples: 4, inputs: 'made-up inputs' })
  })

  it('gives graphs to draw: every node, edges by id, layers where both have them', async () => {
    const { baselineGraph, buildGraph } = await compared(float(), half())
    expect(baselineGraph.nodes.map(({ name }) => name)).toEqual(['first', 'relu', 'second', 'add'])
    expect(baselineGraph.edges).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    // The build runs without a ReLU of its own.
    expect(baselineGraph.nodes.map(({ layer }) => layer)).toEqual(['first', null, 'second', expect.stringMatching(/^(second|add)$/)])
    const conversions = buildGraph.nodes.filter(({ op }) => /antizeLinear$/.test(op))
    expect(conversions.map(({ layer }) => layer)).toEqual(conversions.map(() => null))
    const second = buildGraph.nodes.find(({ name }) => name === 'second')!
    expect(second.layer).toBe('second')
    expect(second.ms).toBeGreaterThan(0)
    expect(second.sqnrDb).not.toBeNull()
    for (const graph of [baselineGraph, buildGraph]) {
      const cells = layoutGraph(graph)
      for (const [from, to] of graph.edges) expect(cells[to]!.y).toBeGreaterThan(cells[from]!.y)
      expect(graph.truncated).toBe(false)
    }
  })

  it('tells identical tensors from ones that cannot be compared', async () => {
    const { layers: rows, warnings } = await compared(float(), float())
    for (const row of rows)
      expect(row).toMatchObject({ sqnrDb: null, maxAbsDiff: row.op === 'ReorderOutput' || row.op === 'ReorderInput' ? null : 0 })
    expect(warnings.some((warning) => warning.includes('no activation'))).toBe(false)
    const other = model(['N', 8, 6, 6], [makeNode('Neg', ['x'], ['z'], {}, { name: 'negate' })], [], { z: ['N', 8, 6, 6] })
    const apart = await compared(float(), other)
    expect(apart.warnings.some((warning) => warning.includes('no activation of the same name'))).toBe(true)
    expect(apart.layers.every(({ maxAbsDiff }) => maxAbsDiff === null)).toBe(true)
    expect(apart.layers.find(({ layer }) => layer === 'negate')).toMatchObject({ baseline: null, op: 'Neg' })
  })

  it('stops when it is cancelled', async () => {
    await compared(float(), float(), 1)
    const paths = { baseline: join(folder, 'baseline.onnx'), model: join(folder, 'build.onnx') }
    const cancelled = layers({ ...paths, dataset: null, samples: 1, batch: 1, threads: 1 }, context(AbortSignal.abort()))
    await expect(cancelled).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })
})
