// Comparisons and the history through the backend, with real agents: labels, values to regress, neither; a control; stored runs later.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpz } from '../../scripts/training/npz.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Comparison } from '../../src/contract/measurement.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

const FEATURES = 6
const SAMPLES = 120
const quick = { deviceId: LOCAL_DEVICE_ID, settings: { runs: 60, warmupRuns: 3, warmupSeconds: 0 }, blocks: 3 }

const random = seededRandom(21)
const uniform = (count: number) => Float32Array.from({ length: count }, () => random.uniform() * 2 - 1)
const x = uniform(SAMPLES * FEATURES)
const row = (sample: number) => x.subarray(sample * FEATURES, (sample + 1) * FEATURES)

/** y = x·w + b with `outputs` columns. */
function linear(weights: Float32Array, bias: Float32Array): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('Gemm', ['x', 'w', 'b'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', ['N', FEATURES])],
      outputs: [makeValueInfo('y', 'float32', ['N', bias.length])],
      initializers: [makeTensor('w', 'float32', [FEATURES, bias.length], weights), makeTensor('b', 'float32', [bias.length], bias)],
    }),
  )
}

/** The same product in plain JavaScript. */
function answers(weights: Float32Array, bias: Float32Array): number[][] {
  return Array.from({ length: SAMPLES }, (_, sample) =>
    Array.from(bias, (offset, output) =>
      row(sample).reduce((sum, value, feature) => sum + value * (weights[feature * bias.length + output] as number), offset),
    ),
  )
}

let folder: string
let workspace: TestWorkspace
const models: Record<string, string> = {}
const datasets: Record<string, string> = {}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-comparisons-'))
  workspace = await openWorkspace()
  const classify = uniform(FEATURES * 3)
  const regress = uniform(FEATURES)
  const zeros = new Float32Array(3)
  const shifted = Float32Array.of(0.25)
  const files: Record<string, Uint8Array> = {
    classes: linear(classify, zeros),
    'classes-spoiled': linear(
      classify.map((weight, index) => (index % 3 === 2 ? weight - 0.6 : weight)),
      zeros,
    ),
    values: linear(regress, Float32Array.of(0)),
    'values-shifted': linear(regress, shifted),
  }
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.onnx`), bytes)
    models[name] = (await workspace.backend.call('models.import', { path: join(folder, `${name}.onnx`) })).id
  }
  const labels = answers(classify, zeros).map((scores) => scores.indexOf(Math.max(...scores)))
  const targets = answers(regress, Float32Array.of(0)).map(([value]) => value as number)
  const samples = { shape: [SAMPLES, FEATURES], values: x }
  const archives: Record<string, Parameters<typeof encodeNpz>[0]> = {
    labelled: { x: samples, labels: { shape: [SAMPLES], values: BigInt64Array.from(labels, BigInt) } },
    measured: { x: samples, targets: { shape: [SAMPLES], values: Float32Array.from(targets) } },
    bare: { x: samples },
  }
  for (const [name, arrays] of Object.entries(archives)) {
    writeFileSync(join(folder, `${name}.npz`), encodeNpz(arrays))
    datasets[name] = (await workspace.result('datasets.import', { path: join(folder, `${name}.npz`) })).dataset.id
  }
}, 60_000)
afterAll(async () => {
  await workspace.close()
  rmSync(folder, { recursive: true, force: true })
})

async function compare(baseline: string, model: string, dataset: string | null, control = false): Promise<Comparison> {
  return workspace.result('compare.start', {
    ...quick,
    baselineId: models[baseline] as string,
    modelIds: [models[model] as string],
    ...(dataset !== null && { datasetId: datasets[dataset] as string }),
    control,
  })
}

describe('compare', () => {
  it('tests accuracies on the same samples', async () => {
    const { rows, noiseFloor } = await compare('classes', 'classes-spoiled', 'labelled')
    const [baseline, build] = rows
    expect(noiseFloor).toBeNull()
    expect(baseline?.metrics?.accuracy).toBe(1)
    const wrong = Math.round((1 - (build?.metrics?.accuracy ?? 0)) * SAMPLES)
    expect(wrong).toBeGreaterThan(6)
    expect(build?.accuracyDifference).toMatchObject({ onlyBaseline: wrong, onlyBuild: 0 })
    expect(build?.accuracyDifference?.pValue).toBeCloseTo(2 * 0.5 ** wrong, 6)
    expect(build?.metricDifference).toMatchObject({ metric: 'accuracy', test: 'mcnemar' })
    expect(build?.metricDifference?.difference).toBeCloseTo(-wrong / SAMPLES, 12)
    expect(baseline?.metricDifference).toBeNull()
    for (const { blockMediansMs, samples } of rows) {
      expect(blockMediansMs).toHaveLength(quick.blocks)
      expect(samples).toBe(60)
    }
  }, 60_000)

  it('tests errors of values in pairs, and measures a control', async () => {
    const { rows, noiseFloor } = await compare('values', 'values-shifted', 'measured', true)
    const [baseline, build] = rows
    expect(rows).toHaveLength(2)
    expect(noiseFloor?.blocks).toBe(quick.blocks)
    expect(baseline?.metrics?.rmse).toBeLessThan(1e-6)
    expect(build?.metrics?.rmse).toBeCloseTo(0.25, 5)
    expect(build?.metrics?.mae).toBeCloseTo(0.25, 5)
    expect(build?.accuracyDifference).toBeNull()
    expect(build?.metricDifference?.test).toBe('paired bootstrap')
    expect(build?.metricDifference?.difference).toBeCloseTo(0.25, 5)
    expect(build?.metricDifference?.ci95?.[0]).toBeGreaterThan(0.2)
  }, 60_000)

  it('compares outputs with the baseline’s where there is nothing to be right about', async () => {
    const { rows } = await compare('values', 'values-shifted', 'bare')
    const [baseline, build] = rows
    expect(baseline?.metrics).toBeNull()
    expect(build?.metrics?.maxAbsDiff).toBeCloseTo(0.25, 5)
    expect(build?.metrics?.accuracy).toBeUndefined()
    expect(build?.metricDifference).toBeNull()
    const evaluations = await workspace.backend.call('evaluations.list', { modelId: models['values-shifted'] as string })
    const stored = evaluations.find(({ id }) => id === build?.evaluationId)
    expect(stored?.parity?.baselineModelId).toBe(models.values)
  }, 60_000)

  it('refuses half a scenario before anything is started', async () => {
    const ids = { baselineId: models.values as string, modelIds: [models['values-shifted'] as string] }
    const start = workspace.backend.call('compare.start', { ...ids, ...quick, settings: { ...quick.settings, scenario: 'server' } })
    await expect(start).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('rate') })
  })
})

describe('runs.compare', () => {
  it('puts stored runs beside each other and says what limits the conclusion', async () => {
    const settings = { runs: 80, warmupRuns: 3, warmupSeconds: 0 }
    const bench = (threads: number) =>
      workspace.result('bench.start', { modelId: models.values as string, deviceId: LOCAL_DEVICE_ID, settings: { ...settings, threads } })
    const [first, second] = [await bench(1), await bench(2)]
    const found = await workspace.backend.call('runs.compare', { ids: [first.id, second.id], bins: 20 })
    expect(found.sameMachine).toBe(true)
    expect(found.runs.map(({ model, benchmark }) => [model, benchmark.id])).toEqual([
      ['values', first.id],
      ['values', second.id],
    ])
    for (const { histogram, quantilesMs, benchmark } of found.runs) {
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(80)
      expect(quantilesMs[0]).toBe(benchmark.latencyMs.min)
      expect(quantilesMs[50]).toBeCloseTo(benchmark.latencyMs.p50, 6)
      expect(quantilesMs[100]).toBe(benchmark.latencyMs.max)
    }
    expect(found.ratios).toHaveLength(1)
    expect(found.ratios[0]?.estimate).toBeGreaterThan(0)
    expect(found.caveats.join('\n')).toContain('different times')
    expect(found.caveats.join('\n')).toContain('threads 1 and 2')
  }, 60_000)

  it('names a run that does not exist', async () => {
    await expect(workspace.backend.call('runs.compare', { ids: ['7f0c7f4e-3a55-4b0e-9a55-2f6a3f7ad001'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
