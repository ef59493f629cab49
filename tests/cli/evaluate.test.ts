import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeNpz } from '../../scripts/training/npz.ts'
import { openBackend } from '../../src/backend/backend.ts'
import type { SecretStore } from '../../src/backend/secret-store.ts'
import { worstSampleSchema } from '../../src/contract/evaluation.ts'
import { linearModel } from '../engine/measure/small-models.ts'
import { callCli } from './cli-call.ts'
import { errorDocument } from './documents.ts'
import { ACCURACY, SAMPLES, writeSmallFiles } from './small-model.ts'

const ROWS = 200

let folder: string
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

const noSecrets: SecretStore = { get: async () => null, put: async () => {}, remove: async () => {} }

const interval = z.tuple([z.number(), z.number()])
const regressionDocument = z.object({
  task: z.literal('regression'),
  samples: z.number(),
  metrics: z.object({ r2: z.number(), mae: z.number(), rmse: z.number(), maeCi95: interval, sqnrDb: z.number().nullable().optional() }),
  baseline: z.object({ model: z.string(), metrics: z.object({ rmse: z.number() }) }).optional(),
  difference: z.object({ rmse: z.number(), metric: z.literal('rmse'), ci95: interval, pValue: z.number(), test: z.string() }).optional(),
})
const parityDocument = z.object({
  task: z.literal('parity'),
  samples: z.number(),
  metrics: z.object({ sqnrDb: z.number().nullable(), cosine: z.number(), maxAbsDiff: z.number(), agreement: z.number() }),
  baseline: z.object({ model: z.string() }),
})
const classificationDocument = z.object({
  id: z.string(),
  task: z.literal('classification'),
  metrics: z.object({ accuracy: z.number(), agreement: z.number().optional() }),
  difference: z.object({ accuracy: z.number(), ci95: interval, pValue: z.number(), test: z.literal('mcnemar') }).optional(),
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-evaluate-cli-'))
  await writeSmallFiles(folder)
  const x = Float32Array.from({ length: ROWS * 2 }, (_, i) => Math.sin(i * 1.7) * 3)
  // y = 2a − b, and every answer of the good model is off by a tenth to one side or the other.
  const targets = Float32Array.from({ length: ROWS }, (_, i) => 2 * (x[2 * i] ?? 0) - (x[2 * i + 1] ?? 0) + (i % 2 === 0 ? 0.1 : -0.1))
  await writeFile(join(folder, 'line.npz'), encodeNpz({ x: { shape: [ROWS, 2], values: x }, targets: { shape: [ROWS], values: targets } }))
  await writeFile(join(folder, 'good.onnx'), linearModel('N', [[2], [-1]]))
  await writeFile(join(folder, 'worse.onnx'), linearModel('N', [[2], [-0.75]]))
})
afterAll(() => rm(folder, { recursive: true }))

describe('evaluate with labels', () => {
  it('compares with a baseline: accuracy with its test, outputs value by value', async () => {
    await edgesmith('optimize', 'small.onnx', '--recipe', 'prune-magnitude', '--set', 'sparsity=0.7', '--name', 'pruned')
    const result = await edgesmith('evaluate', 'pruned', '--data', 'labelled.npz', '--baseline', 'small', '--json')
    expect(result.code, result.stdout).toBe(0)
    const { metrics, difference } = result.json(classificationDocument)
    expect(difference?.accuracy).toBeCloseTo(metrics.accuracy - ACCURACY, 9)
    const [low, high] = difference?.ci95 ?? [1, 0]
    expect(low <= (difference?.accuracy ?? 2) && (difference?.accuracy ?? 2) <= high).toBe(true)
    expect(metrics.agreement).toBeLessThan(1)

    const text = (await edgesmith('evaluate', 'pruned', '--data', 'labelled', '--baseline', 'small')).stdout
    expect(text).toMatch(/120 samples, 4 classes/)
    expect(text).toMatch(/^model +accuracy +95 % interval/m)
    expect(text).toMatch(/^small +90\.00 %/m)
    expect(text).toMatch(/^Most frequent mistakes of pruned: class \d taken for class \d \(\d+\)/m)
    expect(text).toMatch(/^logits +float32 +[\d.−]+ dB/m)
    expect(text).toMatch(/^difference in accuracy to the baseline: .* points \(95 % interval .*\), p .* \(exact McNemar test\)/m)
  })

  it('keeps its limit on the drop of accuracy, for classes alone', async () => {
    const missed = await edgesmith('evaluate', 'pruned', '--data', 'labelled', '--baseline', 'small', '--max-accuracy-drop', '0', '--json')
    expect(missed.code).toBe(1)
    const refused = await edgesmith(
      'evaluate',
      'good.onnx',
      '--data',
      'line.npz',
      '--baseline',
      'good.onnx',
      '--max-accuracy-drop',
      '0.1',
      '--json',
    )
    expect(refused.code).toBe(2)
    expect(refused.json(errorDocument).error).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/--max-accuracy-drop needs a classifier/),
    })
  })

  it('is kept with every answer: worst samples and differences are asked for later', async () => {
    const evaluate = async (model: string) =>
      (await edgesmith('evaluate', model, '--data', 'labelled', '--batch', '7', '--json')).json(classificationDocument)
    const [small, pruned] = [await evaluate('small'), await evaluate('pruned')]
    const backend = await openBackend({ workspace: join(folder, 'workspace'), secrets: noSecrets })
    try {
      const { total, samples } = await backend.call('evaluations.worst', { id: small.id, limit: 5 })
      expect(total).toBe(Math.round(SAMPLES * (1 - ACCURACY)))
      expect(samples.map((sample) => worstSampleSchema.parse(sample).index % 10)).toEqual([0, 0, 0, 0, 0])
      const newly = await backend.call('evaluations.worst', { id: pruned.id, besideId: small.id, only: 'newly-wrong' })
      const back = await backend.call('evaluations.worst', { id: pruned.id, besideId: small.id, only: 'newly-right' })
      expect(newly.samples.every(({ expected, answer, baselineAnswer }) => answer !== expected && baselineAnswer === expected)).toBe(true)
      expect((back.total - newly.total) / SAMPLES).toBeCloseTo(pruned.metrics.accuracy - small.metrics.accuracy, 12)
      expect(await backend.call('evaluations.difference', { baselineId: small.id, id: pruned.id })).toMatchObject({
        metric: 'accuracy',
        difference: (back.total - newly.total) / SAMPLES,
        test: 'mcnemar',
      })
      await expect(backend.call('evaluations.worst', { id: small.id, only: 'different' })).rejects.toMatchObject({ code: 'USAGE' })
      const regressed = await edgesmith('evaluate', 'good.onnx', '--data', 'line.npz', '--json')
      expect(regressed.code, regressed.stdout).toBe(0)
      const line = (await backend.call('evaluations.list', {})).find(({ datasetName }) => datasetName === 'line')
      await expect(backend.call('evaluations.difference', { baselineId: small.id, id: line?.id ?? '' })).rejects.toMatchObject({
        code: 'NOT_COMPARABLE',
      })
      await expect(backend.call('evaluations.worst', { id: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      })
    } finally {
      await backend.close()
    }
  })
})

describe('evaluate with values to regress', () => {
  it('prints errors with intervals, and tests the difference to a baseline', async () => {
    const result = await edgesmith('evaluate', 'worse.onnx', '--data', 'line.npz', '--baseline', 'good.onnx', '--json')
    expect(result.code, result.stdout).toBe(0)
    const { metrics, baseline, difference, samples } = result.json(regressionDocument)
    expect(samples).toBe(ROWS)
    expect(baseline?.metrics.rmse).toBeCloseTo(0.1, 5)
    expect(difference?.rmse).toBeCloseTo(metrics.rmse - 0.1, 5)
    expect(difference).toMatchObject({ test: 'paired bootstrap' })
    expect(difference?.ci95[0]).toBeGreaterThan(0)
    expect(difference?.pValue).toBeLessThan(0.01)
    const text = (await edgesmith('evaluate', 'good', '--data', 'line', '--baseline', 'good')).stdout
    expect(text).toMatch(/^model +R² +95 % interval +MAE/m)
    expect(text).toMatch(/^y +float32 +identical/m)
    expect(text).toMatch(/difference in RMSE to the baseline: 0 .*no difference shown$/m)
  })
})

describe('evaluate without labels', () => {
  it('compares outputs with the baseline’s, and refuses to without one', async () => {
    const result = await edgesmith('evaluate', 'pruned', '--data', 'unlabelled.npz', '--baseline', 'small', '--json')
    expect(result.code, result.stdout).toBe(0)
    const { metrics, samples } = result.json(parityDocument)
    expect(samples).toBe(SAMPLES)
    expect(metrics.sqnrDb).toBeLessThan(60)
    const text = (await edgesmith('evaluate', 'pruned', '--data', 'unlabelled', '--baseline', 'small')).stdout
    expect(text).toMatch(/^Outputs of pruned beside those of small:$/m)
    expect(text).not.toMatch(/difference in/)
    const refused = await edgesmith('evaluate', 'small', '--data', 'unlabelled', '--json')
    expect(refused.code).toBe(2)
    expect(refused.json(errorDocument).error).toMatchObject({ code: 'EVALUATION_IMPOSSIBLE' })
  })
})
