import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outputsResultSchema } from '../../../src/contract/agent-protocol.ts'
import { decodeWire, encodeWire } from '../../../src/contract/agent-wire.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { compareOutputs } from '../../../src/core/parity/compare-outputs.ts'
import { encodeWithOutputs } from '../../../src/core/quantization/tensor-facts.ts'
import { makeBenchmarkInputs } from '../../../src/engine/measure/benchmark-inputs.ts'
import { outputs } from '../../../src/engine/measure/outputs.ts'
import { onnxRuntime, rewrittenModel } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { activationParameters, model, pair, quantizedWeight, weights } from '../explanation/plain-models.ts'

let folder = ''
let files = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-outputs-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function run(of: ModelProto, changes: { samples?: number; layerSamples?: number; signal?: AbortSignal } = {}) {
  const path = join(folder, `${++files}.onnx`)
  await writeFile(path, encodeModel(of))
  const { samples = 4, layerSamples = 2, signal = new AbortController().signal } = changes
  const found = await outputs(
    { model: path, dataset: null, samples, layerSamples, threads: 1 },
    { reporter: { progress: () => {}, log: () => {} }, signal, edgesmithVersion: '0.0.0' },
  )
  return outputsResultSchema.parse(decodeWire(encodeWire(found)))
}

const pads = { pads: [1, 1, 1, 1] }

/** Convolution and ReLU, added to the input, then pooled to one score a channel. */
const float = () =>
  model(
    ['N', 8, 6, 6],
    [
      makeNode('Conv', ['x', 'w'], ['c'], pads, { name: 'conv' }),
      makeNode('Relu', ['c'], ['r'], {}, { name: 'relu' }),
      makeNode('Conv', ['r', 'v'], ['d'], pads, { name: 'second' }),
      makeNode('GlobalAveragePool', ['d'], ['p'], {}, { name: 'pool' }),
      makeNode('Flatten', ['p'], ['y'], {}, { name: 'flatten' }),
    ],
    [weights('w', [8, 8, 3, 3]), weights('v', [8, 8, 3, 3])],
    { y: ['N', 8] },
  )

/** A convolution in 8 bits, its result given out in float32. */
function quantized(): ModelProto {
  const w = quantizedWeight('w', [8, 8, 3, 3])
  return model(
    ['N', 8, 6, 6],
    [...pair('x', 'xd'), w.node, makeNode('Conv', ['xd', 'w'], ['raw'], pads, { name: 'conv' }), ...pair('raw', 'y')],
    [...w.tensors, ...activationParameters],
    { y: ['N', 8, 6, 6] },
  )
}

const kernels = async (bytes: Uint8Array) => {
  const { graph } = decodeModel(await rewrittenModel(bytes, 'all'), 'rewritten')
  return graph!.node.map(({ opType }) => opType).filter((op) => !/^(Reorder\w+|Transpose)$/.test(op))
}

describe('outputs', () => {
  it('gives what a plain run gives, sample by sample, with the layers in between', async () => {
    const found = await run(float())
    expect(found).toMatchObject({ samples: 4, inputs: 'made-up inputs', precision: 'float32', warnings: [] })
    expect(found.outputs).toMatchObject([{ name: 'y', type: 'float32', shape: [4, 8], step: null }])
    const plain = await onnxRuntime.load(encodeModel(float()))
    const { y } = await plain.run(makeBenchmarkInputs(plain.inputs, 4).feeds)
    await plain.close()
    const expected = y!.values as Float32Array
    for (const [index, value] of found.outputs[0]!.values.entries()) expect(value).toBeCloseTo(expected[index]!, 5)
    expect(found.layers.map(({ layer, op, tensor, inputs }) => [layer, op, tensor, inputs])).toEqual([
      ['conv', 'Conv', 'r', []],
      ['second', 'Conv', 'd', ['r']],
      ['pool', 'GlobalAveragePool', 'y', ['d']],
    ])
    // Two samples of 8 × 6 × 6.
    expect(found.layers[0]!.values).toHaveLength(2 * 288)
  })

  it('is the same again: a machine compared with itself is identical', async () => {
    const [one, two] = [await run(quantized()), await run(quantized())]
    expect(compareOutputs(one, two)).toMatchObject({ verdict: 'identical', suspects: [] })
    expect(two.outputs[0]!.values).toEqual(one.outputs[0]!.values)
  })

  it('takes 8-bit tensors as integers, so that kernels stay the same, and gives the numbers they stand for', async () => {
    const build = quantized()
    const found = await run(build)
    expect(found.precision).toBe('int8')
    expect(found.outputs[0]).toMatchObject({ step: 1 / 64 })
    const conv = found.layers.find(({ layer }) => layer === 'conv')!
    expect(conv).toMatchObject({ op: 'Conv', precision: 'int8', tensor: 'y_q', inputs: ['xd_q'], step: 1 / 64 })
    // The output is that tensor, dequantized by the runtime.
    expect(conv.values).toEqual(found.outputs[0]!.values.subarray(0, conv.values.length))
    const tensors = found.layers.map(({ tensor }) => tensor)
    expect((await kernels(encodeWithOutputs(build, tensors))).sort()).toEqual((await kernels(encodeModel(build))).sort())
  })

  it('thins large tensors to 16 MiB in all, evenly, and says so', async () => {
    const large = model(
      ['N', 4, 1500, 1500],
      [makeNode('MaxPool', ['x'], ['m'], { kernel_shape: [1, 1] }), makeNode('GlobalAveragePool', ['m'], ['y'])],
      [],
      { y: ['N', 4, 1, 1] },
    )
    const found = await run(large, { samples: 1, layerSamples: 1 })
    const kept = found.layers.reduce((sum, { values }) => sum + values.length, 0)
    expect(kept).toBeLessThanOrEqual(4 * 2 ** 20)
    // 9,000,000 values: every 3rd to 6th would visit the same columns again and again.
    expect(kept).toBe(Math.ceil(9_000_000 / 7) + 4)
    expect(found.warnings).toEqual([expect.stringContaining('Of 1 of 2 inner tensors only some values are compared')])
  })

  it('gives no inner tensors when none are asked for', async () => {
    expect((await run(float(), { layerSamples: 0 })).layers).toEqual([])
  })

  it('gives classes, truth values and float64 as numbers, says what was rounded, and leaves text out', async () => {
    const mixed = makeModel({
      nodes: [
        makeNode('ArgMax', ['x'], ['class'], { axis: 1, keepdims: 0 }),
        makeNode('Greater', ['x', 'half'], ['above']),
        makeNode('Cast', ['x'], ['wide'], { to: 11 }),
        makeNode('Div', ['wide', 'three'], ['third']),
        makeNode('Cast', ['x'], ['text'], { to: 8 }),
      ],
      initializers: [makeTensor('half', 'float32', [], Float32Array.of(0.5)), makeTensor('three', 'float64', [], Float64Array.of(3))],
      inputs: [makeValueInfo('x', 'float32', ['N', 5])],
      outputs: [
        makeValueInfo('class', 'int64', ['N']),
        makeValueInfo('above', 'bool', ['N', 5]),
        makeValueInfo('third', 'float64', ['N', 5]),
        makeValueInfo('text', 'string', ['N', 5]),
      ],
    })
    const found = await run(mixed, { samples: 3 })
    expect(found.outputs.map(({ name, type, shape }) => [name, type, shape])).toEqual([
      ['class', 'int64', [3]],
      ['above', 'bool', [3, 5]],
      ['third', 'float64', [3, 5]],
    ])
    expect(found.outputs[1]!.values.every((value) => value === 0 || value === 1)).toBe(true)
    expect(found.warnings).toEqual([
      'Outputs of text were left out: "text".',
      'Output "third" holds numbers that float32 cannot hold exactly; they were rounded.',
    ])
  })

  it('runs a model with a fixed batch once, on its batch', async () => {
    const fixed = model([3, 2], [makeNode('Relu', ['x'], ['y'])], [], { y: [3, 2] })
    expect(await run(fixed, { samples: 50 })).toMatchObject({ samples: 3, outputs: [{ shape: [3, 2] }] })
  })

  it('says how many samples would fit when outputs are too large', async () => {
    const wide = model(
      ['N', 1],
      [makeNode('Expand', ['x', 'shape'], ['y'])],
      [makeTensor('shape', 'int64', [2], BigInt64Array.of(1n, 2n ** 20n))],
      {
        y: ['N', 'wide'],
      },
    )
    // 4 MiB a sample.
    await expect(run(wide, { samples: 64 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { mostSamples: 24 },
      hint: expect.stringContaining('24'),
    })
    expect((await run(wide, { samples: 2, layerSamples: 0 })).outputs[0]!.values).toHaveLength(2 * 2 ** 20)
  })

  it('says that inputs were made up when the model refuses them', async () => {
    const picky = model(
      ['N', 'length'],
      [makeNode('Pad', ['x', 'pads'], ['y'], { mode: 'reflect' })],
      [makeTensor('pads', 'int64', [4], BigInt64Array.of(0n, 3n, 0n, 3n))],
      {
        y: ['N', 'padded'],
      },
    )
    picky.graph!.input[0] = makeValueInfo('x', 'float32', ['N', 'width'])
    await expect(run(picky)).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED', hint: expect.stringContaining('give a dataset') })
  })

  it('refuses a model that only gives text, and stops when it is cancelled', async () => {
    const words = makeModel({
      nodes: [makeNode('Cast', ['x'], ['y'], { to: 8 })],
      inputs: [makeValueInfo('x', 'float32', ['N'])],
      outputs: [makeValueInfo('y', 'string', ['N'])],
    })
    await expect(run(words)).rejects.toMatchObject({ code: 'EVALUATION_IMPOSSIBLE' })
    await expect(run(float(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })
})
