import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeNpz } from '../../scripts/training/npz.ts'
import { compareAllResultSchema } from '../../src/contract/compare-all.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Job } from '../../src/contract/job.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { openWorkspace, type TestWorkspace } from '../integration/workspace.ts'

/** Enough for a comparison to be one, and no longer. */
const quick = { deviceId: LOCAL_DEVICE_ID, settings: { runs: 40, warmupRuns: 2, warmupSeconds: 0 }, blocks: 2 }
const SIZE = 8
const CLASSES = 16
const SAMPLES = 24
const WIDE = 512

let folder: string
let workspace: TestWorkspace
let modelId: string
let datasetId: string
let unlabelledId: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-compare-all-'))
  const random = seededRandom(3)
  const values = (count: number) => Float32Array.from({ length: count }, () => random.uniform() * 2 - 1)
  // The only convolution makes the outputs: it has weights to store smaller, and no channel that could be removed.
  const model = makeModel({
    nodes: [
      makeNode('Conv', ['x', 'w'], ['features'], { kernel_shape: [3, 3] }, { name: 'conv' }),
      makeNode('GlobalAveragePool', ['features'], ['pooled'], {}, { name: 'pool' }),
      makeNode('Flatten', ['pooled'], ['scores'], {}, { name: 'flat' }),
    ],
    inputs: [makeValueInfo('x', 'float32', ['N', 3, SIZE, SIZE])],
    outputs: [makeValueInfo('scores', 'float32', ['N', CLASSES])],
    initializers: [makeTensor('w', 'float32', [CLASSES, 3, 3, 3], values(CLASSES * 27))],
    name: 'one-conv',
  })
  const x = { shape: [SAMPLES, 3, SIZE, SIZE], values: values(SAMPLES * 3 * SIZE * SIZE) }
  const labels = { shape: [SAMPLES], values: BigInt64Array.from({ length: SAMPLES }, (_, index) => BigInt(index % CLASSES)) }
  await writeFile(join(folder, 'one-conv.onnx'), encodeModel(model))
  await writeFile(join(folder, 'labelled.npz'), encodeNpz({ x, labels }))
  const narrow = { shape: [SAMPLES, 3, SIZE, SIZE - 1], values: values(SAMPLES * 3 * SIZE * (SIZE - 1)) }
  await writeFile(join(folder, 'narrow.npz'), encodeNpz({ x: narrow, labels }))
  // Computes much more for the same outputs: whatever the machine does meanwhile, it is slower.
  const slow = makeModel({
    nodes: [
      makeNode('Conv', ['x', 'w1'], ['wide'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: 'wide' }),
      makeNode('Conv', ['wide', 'w2'], ['features'], { kernel_shape: [3, 3] }, { name: 'conv' }),
      makeNode('GlobalAveragePool', ['features'], ['pooled'], {}, { name: 'pool' }),
      makeNode('Flatten', ['pooled'], ['scores'], {}, { name: 'flat' }),
    ],
    inputs: [makeValueInfo('x', 'float32', ['N', 3, SIZE, SIZE])],
    outputs: [makeValueInfo('scores', 'float32', ['N', CLASSES])],
    initializers: [
      makeTensor('w1', 'float32', [WIDE, 3, 3, 3], values(WIDE * 27)),
      makeTensor('w2', 'float32', [CLASSES, WIDE, 3, 3], values(CLASSES * WIDE * 9)),
    ],
    name: 'slow',
  })
  await writeFile(join(folder, 'slow.onnx'), encodeModel(slow))
  await writeFile(join(folder, 'unlabelled.npz'), encodeNpz({ x }))
  workspace = await openWorkspace()
  const { backend } = workspace
  modelId = (await backend.call('models.import', { path: join(folder, 'one-conv.onnx') })).id
  datasetId = (await workspace.result('datasets.import', { path: join(folder, 'labelled.npz') })).dataset.id
  unlabelledId = (await workspace.result('datasets.import', { path: join(folder, 'unlabelled.npz') })).dataset.id
}, 60_000)
afterAll(async () => {
  await workspace.close()
  await rm(folder, { recursive: true })
})

const builds = async () => (await workspace.backend.call('models.list', {})).filter(({ kind }) => kind === 'build')

describe('compareAll.start', () => {
  it('keeps what was made when it is cancelled', async () => {
    const { jobId } = await workspace.backend.call('compareAll.start', { modelId, ...quick })
    await expect.poll(async () => (await builds()).length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(0)
    await workspace.backend.call('jobs.cancel', { id: jobId })
    expect(await workspace.backend.call('jobs.wait', { id: jobId })).toMatchObject({ state: 'cancelled' })
    expect((await builds()).length).toBeGreaterThan(0)
    expect(await workspace.backend.call('comparisons.list', {})).toEqual([])
    expect(workspace.leftovers()).toEqual([])
  }, 40_000)

  it('makes every build once, notes refusals, measures all against the source, and recommends only what it measured', async () => {
    const before = await builds()
    const seen: Job[] = []
    const stop = workspace.backend.onEvent((event) => {
      if (event.type === 'job' && event.job.kind === 'compareAll.start') seen.push(event.job)
    })
    const result = compareAllResultSchema.parse(await workspace.result('compareAll.start', { modelId, datasetId, ...quick }))
    stop()
    const { comparison, entries, recommended } = result
    const made = entries.flatMap(({ modelId: id }) => (id === null ? [] : [id]))
    expect(entries.filter(({ modelId: id }) => id !== null).map(({ title }) => title)).toEqual(['fp16 weights', 'prune-magnitude 50%'])
    for (const { modelId: id, error } of entries) expect(id === null).toBe(error !== null)
    expect(entries.find(({ title }) => title === 'prune-channels 30%')?.error?.message).toBeTruthy()
    expect(comparison?.rows.map((row) => row.modelId)).toEqual([modelId, ...made])
    expect(comparison?.rows.every(({ metrics }) => metrics !== null)).toBe(true)
    expect((await workspace.backend.call('comparisons.list', {})).map(({ id }) => id)).toEqual([comparison?.id])
    if (recommended) expect(made).toContain(recommended.modelId)
    // What the cancelled job had made is taken again, not made twice.
    const hashes = (await builds()).map(({ sha256 }) => sha256)
    expect(new Set(hashes).size).toBe(hashes.length)
    for (const { id } of before) expect(made).toContain(id)
    // One bar for the whole job that never goes back.
    const steps = seen.flatMap(({ progress }) => (progress?.unit === 'steps' ? [progress.done] : []))
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
    expect(workspace.leftovers()).toEqual([])
  }, 60_000)

  it('fails before anything is built when the source cannot be measured', async () => {
    const before = (await builds()).length
    const { dataset: narrow } = await workspace.result('datasets.import', { path: join(folder, 'narrow.npz') })
    const job = await workspace.job('compareAll.start', { modelId, datasetId: narrow.id, ...quick })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'DATASET_SHAPE' } })
    expect((await builds()).length).toBe(before)
  }, 30_000)

  it('refuses what cannot work before it begins', async () => {
    const { call } = workspace.backend
    await expect(call('compareAll.start', { modelId, datasetId: unlabelledId, ...quick })).rejects.toMatchObject({ code: 'DATASET_LABELS' })
    const recipe = [{ recipe: 'fp16' as const }]
    const budget = { maxAccuracyDrop: 0.01, datasetId }
    await expect(call('optimize.start', { modelId, recipe, budget })).rejects.toMatchObject({ code: 'USAGE' })
    const self = { baselineId: modelId, modelId, deviceId: LOCAL_DEVICE_ID }
    await expect(call('explain.start', self)).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('compare.start', () => {
  it('explains rows that are slower, and only those, and keeps it with the comparison', async () => {
    const slow = await workspace.backend.call('models.import', { path: join(folder, 'slow.onnx') })
    const settings = { ...quick, settings: { ...quick.settings, runs: 200 }, blocks: 6 }
    const made = await workspace.result('compare.start', { baselineId: modelId, modelIds: [slow.id], ...settings })
    expect(made.rows.map(({ speedup }) => speedup?.verdict)).toEqual([undefined, 'slower'])
    expect(made.rows[0]?.explanation).toBeNull()
    expect(made.rows[1]?.explanation).toMatchObject({ baselineMs: expect.any(Number), nodes: expect.any(Array) })
    const [stored] = await workspace.backend.call('comparisons.list', {})
    expect(stored?.rows[1]?.explanation).toEqual(made.rows[1]?.explanation)
  }, 60_000)
})
