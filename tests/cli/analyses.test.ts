import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openBackend } from '../../src/backend/backend.ts'
import { accuracyExplanationSchema, layerComparisonSchema, profileResultSchema } from '../../src/contract/analysis.ts'
import { callCli } from './cli-call.ts'
import { explanationDocument } from './documents.ts'
import { ACCURACY, SAMPLES, type SmallFiles, writeSmallFiles } from './small-model.ts'

const noSecrets = { get: async () => null, put: async () => {}, remove: async () => {} }

let folder: string
let files: SmallFiles
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-analyses-'))
  files = await writeSmallFiles(folder)
  const made = await edgesmith('optimize', files.model, '--recipe', 'int8-dynamic', '--name', 'dynamic')
  if (made.code !== 0) throw new Error(made.stdout + made.stderr)
})
afterAll(() => rm(folder, { recursive: true }))

describe('profile', () => {
  it('says where the time of a model goes', async () => {
    const result = await edgesmith('profile', 'small', '--batch', '2', '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(profileResultSchema.extend({ model: z.string(), device: z.string() }))
    expect(document).toMatchObject({ model: 'small', device: 'this-computer', batch: 2, threads: 1 })
    expect(document.byLayer.map(({ layer, macs }) => [layer, macs])).toEqual(
      expect.arrayContaining([
        ['gemm_1', 2 * 16 * 32],
        ['gemm_2', 2 * 32 * 4],
      ]),
    )
    const { code, stdout } = await edgesmith('profile', 'dynamic')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^machine peak +[\d.,]+ GMAC\/s in float32/m)
    expect(stdout).toMatch(/^gemm_1 +\S+ +\S.* ms +[\d.]+ %/m)
  })
})

describe('layers', () => {
  it('puts two builds beside each other, on samples', async () => {
    const result = await edgesmith('layers', 'small', 'dynamic', '--data', files.labelled, '--samples', '5', '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(
      layerComparisonSchema.omit({ baselineGraph: true, buildGraph: true }).extend({ baseline: z.string(), model: z.string() }),
    )
    expect(document).toMatchObject({ baseline: 'small', model: 'dynamic', samples: 5 })
    const first = document.layers.find(({ layer }) => layer === 'gemm_1')!
    expect(first.baseline!.precision).toBe('float32')
    expect(first.sqnrDb).toBeGreaterThan(20)
    const { code, stdout } = await edgesmith('layers', 'small', 'dynamic')
    expect(code).toBe(0)
    expect(stdout).toMatch(/tensors on \d samples \(made-up inputs\)\.$/m)
    expect(stdout).toMatch(/^gemm_1 +Gemm/m)
  })
})

describe('explain --data', () => {
  it('explains the answers beside the time', async () => {
    const result = await edgesmith('explain', 'small', 'dynamic', '--data', files.labelled, '--json')
    expect(result.code, result.stdout).toBe(0)
    const document = result.json(explanationDocument.extend({ accuracy: accuracyExplanationSchema }))
    expect(document.accuracy.answers).toMatchObject({ samples: SAMPLES, baselineAccuracy: ACCURACY })
    expect(document.accuracy.layers.map(({ layer }) => layer)).toEqual(expect.arrayContaining(['gemm_1', 'gemm_2']))
    const { code, stdout } = await edgesmith('explain', 'small', 'dynamic', '--data', files.labelled)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^dynamic answers [\d.]+ % of 120 samples of .* right, small 90\.00 %/m)
  })

  it('compares tensors alone where there are no labels', async () => {
    const result = await edgesmith('explain', 'small', 'dynamic', '--data', files.unlabelled, '--json')
    const { accuracy } = result.json(z.object({ accuracy: accuracyExplanationSchema }))
    expect(accuracy).toMatchObject({ answers: null, accuracyDifference: null, classes: [] })
    expect(accuracy.layers.length).toBeGreaterThan(0)
  })
})

describe('stored analyses', () => {
  it('keeps each, and forgets those of a model that is removed', async () => {
    const backend = await openBackend({ workspace: join(folder, 'workspace'), secrets: noSecrets })
    try {
      const stored = await backend.call('analyses.list', {})
      expect(new Set(stored.map(({ kind }) => kind))).toEqual(new Set(['profile', 'layers', 'slowdown', 'accuracy']))
      const dynamic = (await backend.call('models.list', {})).find(({ name }) => name === 'dynamic')!
      const layers = await backend.call('analyses.list', { modelId: dynamic.id, kind: 'layers' })
      expect(layers).toHaveLength(2)
      const whole = await backend.call('analyses.get', { id: layers[0]!.id })
      expect(whole.kind === 'layers' && whole.result.buildGraph.nodes.length).toBeGreaterThan(0)
      expect(layers.map(({ datasetId }) => datasetId !== null)).toEqual([false, true])
      await backend.call('models.remove', { id: dynamic.id })
      expect((await backend.call('analyses.list', {})).map(({ kind }) => kind)).toEqual(['profile'])
    } finally {
      await backend.close()
    }
  })
})

describe('wrong usage', () => {
  it.each([
    ['one model beside itself', () => ['layers', 'small', 'small'], 'USAGE'],
    ['a model that is not there', () => ['profile', 'nothing'], 'NOT_FOUND'],
    ['too many samples', () => ['layers', 'small', 'dynamic', '--samples', '1000'], 'USAGE'],
  ])('refuses %s', async (_, args, code) => {
    const result = await edgesmith(...args(), '--json')
    expect(result.code).toBe(2)
    expect(result.json(z.object({ error: z.object({ code: z.string() }) })).error.code).toBe(code)
  })
})
