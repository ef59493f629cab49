import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { int8StaticStepSchema, sensitivityReportSchema } from '../../../src/contract/recipe.ts'
import { decodeModel } from '../../../src/core/onnx/model-file.ts'
import { optimizeModel } from '../../../src/engine/optimize/optimize.ts'
import { analyseSensitivity } from '../../../src/engine/optimize/sensitivity.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

const models = fileURLToPath(new URL('../../../models/', import.meta.url))
const npz = (name: string) => ({
  format: 'npz' as const,
  name,
  files: [{ role: 'samples' as const, path: join(models, name) }],
  preprocessing: {},
})
const reporter = { progress: () => {}, log: () => {} }
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-mixed-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const request = (outPath: string, maxAccuracyDrop: number) => ({
  command: 'optimize' as const,
  modelPath: join(models, 'fashion-mobilenet.onnx'),
  modelName: 'fashion-mobilenet',
  // Reduced ranges cut off most of what matters here, so that there is something to search for.
  recipe: [int8StaticStepSchema.parse({ recipe: 'int8-static', calibrator: 'percentile', percentile: 99 })],
  target: 'x64' as const,
  calibration: npz('fashion-mnist-calibration.npz'),
  samples: 64,
  budget: { maxAccuracyDrop, labelled: npz('fashion-mnist-test.npz') },
  outPath,
  edgesmithVersion: '0.0.0',
  lineage: [],
})

it('leaves as many units in float as the accuracy budget needs, and says which and why', async () => {
  const outPath = join(folder, 'build.onnx')
  const { mixedPrecision, quantizedNodes, fusedNodes, skipped } = await optimizeModel(request(outPath, 0.005), onnxRuntime, reporter)
  expect(mixedPrecision).toMatchObject({ metric: 'accuracy', maxDrop: 0.005, met: true })
  const { baseline, reached, left, trials } = mixedPrecision!
  expect(reached).toBeGreaterThanOrEqual(baseline - 0.005)
  expect(left.length).toBeGreaterThan(0)
  expect(trials).toBeGreaterThan(2)
  expect(quantizedNodes).toBeGreaterThan(0)
  expect(fusedNodes).toBeGreaterThan(0)
  const ops = decodeModel(await readFile(outPath), 'build').graph!.node
  for (const { node, op, reason, sqnrDb } of left) {
    expect(skipped).toContainEqual({ node, op, reason })
    expect(reason).toMatch(/accuracy budget/)
    expect(sqnrDb).toBeGreaterThan(0)
    // It reads its weights in float: from an initializer, not from a DequantizeLinear.
    const weights = ops.find(({ name }) => name === node)!.input[1]!
    expect(ops.some(({ output }) => output.includes(weights)) && op === 'Conv').toBe(false)
  }
})

it('keeps everything in 8 bits when that is within the budget', async () => {
  const { mixedPrecision } = await optimizeModel(request(join(folder, 'loose.onnx'), 0.9), onnxRuntime, reporter)
  expect(mixedPrecision).toMatchObject({ met: true, trials: 1, left: [] })
})

it('ranks units by what they cost, with what each gains', async () => {
  const report = await analyseSensitivity(
    {
      command: 'sensitivity',
      modelPath: join(models, 'fashion-cnn.onnx'),
      modelName: 'fashion-cnn',
      target: 'x64',
      calibration: npz('fashion-mnist-calibration.npz'),
      samples: 32,
      labelled: null,
    },
    onnxRuntime,
    reporter,
  )
  expect(sensitivityReportSchema.parse(report)).toEqual(report)
  expect(report).toMatchObject({ metric: 'sqnrDb', baseline: null, samples: 32 })
  const weighted = report.units.filter(({ op }) => op === 'Conv' || op === 'Gemm')
  expect(weighted).toHaveLength(6)
  const decibels = report.units.map(({ sqnrDb }) => sqnrDb ?? 300)
  expect(decibels).toEqual([...decibels].sort((a, b) => a - b))
  for (const { sqnrDb, gainMs, macs } of weighted) {
    expect(sqnrDb).toBeGreaterThan(20)
    expect(Number.isFinite(gainMs)).toBe(true)
    expect(macs).toBeGreaterThan(1000)
  }
})
