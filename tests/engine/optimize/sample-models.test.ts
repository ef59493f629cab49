import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import type { OptimizeSummary, RecipeStep } from '../../../src/contract/recipe.ts'
import { type OpenDataset, openDataset } from '../../../src/engine/datasets/open-dataset.ts'
import { optimizeModel } from '../../../src/engine/optimize/optimize.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { step } from './small-models.ts'

const path = (name: string) => fileURLToPath(new URL(`../../../models/${name}`, import.meta.url))
const dataset = (name: string): DatasetSource => ({
  format: 'npz',
  name,
  files: [{ role: 'samples', path: path(name) }],
  preprocessing: {},
})
const BATCH = 100

let folder = ''
let images: OpenDataset
beforeAll(async () => {
  const input = { name: 'input', type: 'float32', shape: ['N', 1, 28, 28] } as const
  images = await openDataset(dataset('fashion-mnist-test.npz'), [input])
  expect(images.sampleCount).toBe(2000)
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-sample-models-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Share of the 2,000 test images whose largest output is their label. */
async function accuracy(bytes: Uint8Array): Promise<number> {
  const model = await onnxRuntime.load(bytes)
  try {
    let right = 0
    for (let start = 0; start < images.sampleCount; start += BATCH) {
      const { values } = (await model.run(images.batch(start, BATCH)))[model.outputs[0]!.name]!
      for (let row = 0; row < BATCH; row++) {
        const scores = (values as Float32Array).subarray(row * 10, row * 10 + 10)
        if (scores.indexOf(Math.max(...scores)) === images.labels?.[start + row]) right++
      }
    }
    return right / images.sampleCount
  } finally {
    await model.close()
  }
}

async function build(model: string, recipe: RecipeStep[]): Promise<{ readonly bytes: Uint8Array; readonly summary: OptimizeSummary }> {
  const outPath = join(folder, `${model}-${recipe.map((entry) => entry.recipe).join('-')}`)
  const request = {
    command: 'optimize' as const,
    modelPath: path(model),
    modelName: model,
    recipe,
    target: 'x64' as const,
    calibration: dataset('fashion-mnist-calibration.npz'),
    samples: 256,
    budget: null,
    outPath,
    edgesmithVersion: '0.0.0',
    lineage: [],
  }
  const summary = await optimizeModel(request, onnxRuntime, { progress: () => {}, log: () => {} })
  return { bytes: await readFile(outPath), summary }
}

describe.each([
  // Every operator but Softmax. The mobile network is so small (48 weights for each output channel) that names, scales and
  // biases are a quarter of its int8 file.
  { model: 'fashion-cnn.onnx', kernels: 10, sizeRatio: 0.27, dynamicKernels: 2, pruningLoss: 0.02 },
  { model: 'fashion-mobilenet.onnx', kernels: 19, sizeRatio: 0.34, dynamicKernels: 1, pruningLoss: 0.02 },
])('$model', ({ model, kernels, sizeRatio, dynamicKernels, pruningLoss }) => {
  let float32 = 0
  beforeAll(async () => {
    float32 = await accuracy(await readFile(path(model)))
  })

  it('is worth compressing', () => {
    expect(float32).toBeGreaterThan(0.89)
  })

  it('int8-static: within one point of float32, a quarter of the size, all of it in 8-bit kernels', async () => {
    const { bytes, summary } = await build(model, [step('int8-static')])
    expect(await accuracy(bytes)).toBeGreaterThan(float32 - 0.01)
    expect(summary.output.sizeBytes / summary.input.sizeBytes).toBeLessThan(sizeRatio)
    expect(summary).toMatchObject({ quantizedNodes: kernels, fusedNodes: kernels, calibrationSamples: 256, warnings: [] })
    expect(summary.skipped.map(({ op }) => op)).toEqual(['Softmax'])
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(15)
  })

  it('int8-dynamic: loads, runs, and hardly differs', async () => {
    const { bytes, summary } = await build(model, [step('int8-dynamic')])
    expect(summary.fusedNodes).toBe(dynamicKernels)
    expect(Math.abs((await accuracy(bytes)) - float32)).toBeLessThan(0.005)
  })

  it('fp16: half the size, the same answers', async () => {
    const { bytes, summary } = await build(model, [step('fp16')])
    expect(summary.output.sizeBytes / summary.input.sizeBytes).toBeLessThan(0.56)
    expect(Math.abs((await accuracy(bytes)) - float32)).toBeLessThan(0.003)
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(40)
  })

  it('prune-magnitude: half of the weights are zero, the network still works', async () => {
    const { bytes, summary } = await build(model, [step('prune-magnitude')])
    expect(summary.sparsity).toBeCloseTo(0.5, 4)
    expect(await accuracy(bytes)).toBeGreaterThan(float32 - pruningLoss)
  })
})
