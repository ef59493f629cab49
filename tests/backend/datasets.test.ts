import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { datasetSource, runTimeFiles } from '../../src/backend/use-cases/dataset-source.ts'
import type { Dataset } from '../../src/contract/dataset.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { array, counting } from '../core/datasets/arrays.ts'
import { openWorkspace, type TestWorkspace } from '../integration/workspace.ts'

let workspace: TestWorkspace
let inputs: string
beforeAll(async () => {
  inputs = mkdtempSync(join(tmpdir(), 'edgesmith-dataset-inputs-'))
  workspace = await openWorkspace()
}, 180_000)
afterAll(async () => {
  await workspace.close()
  rmSync(inputs, { recursive: true, force: true })
})

const call: TestWorkspace['backend']['call'] = (name, input) => workspace.backend.call(name, input)
const list = async () => (await call('datasets.list', {})).map(({ name }) => name)
const blobs = () => readdirSync(join(workspace.folder, 'blobs'), { recursive: true }).filter((name) => String(name).length > 60).length

async function importFile(name: string, content: Uint8Array | string): Promise<Dataset> {
  const path = join(inputs, name)
  writeFileSync(path, content)
  return (await workspace.result('datasets.import', { path })).dataset
}

/** 60 samples of 4 features in 3 classes; sample 59 equals sample 0. */
const table = () => {
  const random = seededRandom(3)
  const rows = Array.from({ length: 59 }, (_, row) => [...Array.from({ length: 4 }, () => random.below(1000) / 10), row % 3])
  return `a,b,c,d,label\n${[...rows, rows[0] as number[]].map((cells) => cells.join(',')).join('\n')}\n`
}

/** Two classes of pictures of different sizes; dog/1 is cat/0 made a little larger. */
async function pictures(): Promise<string> {
  const folder = join(inputs, 'pets')
  const draw = (width: number, height: number, seed: number) => {
    const svg = Array.from({ length: 5 }, (_, index) => [(seed * 37 + index * 53) % 90, (seed * 61 + index * 29) % 50, 40 * index])
    const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
      const [x, y] = [((Math.floor(at / 3) % width) * 100) / width, (Math.floor(at / 3 / width) * 60) / height]
      return (
        30 +
        svg.reduce((sum, [cx = 0, cy = 0, weight = 0]) => sum + weight * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 200), 0) +
        (at % 3) * 5
      )
    })
    return sharp(pixels, { raw: { width, height, channels: 3 } })
  }
  for (const [path, image] of [
    ['cat/0.png', draw(100, 60, 1).png()],
    ['cat/1.png', draw(100, 60, 2).png()],
    ['dog/0.jpg', draw(80, 80, 3).jpeg()],
    ['dog/1.jpg', draw(110, 66, 1).jpeg({ quality: 95 })],
  ] as const) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    await image.toFile(join(folder, path))
  }
  return folder
}

describe('importing', () => {
  test('the same content twice gives one dataset, another description another one', async () => {
    const first = await importFile(
      'one.npz',
      writeNpz([array('x', 'float32', counting(8), [4, 2]), array('labels', 'int64', [0, 1, 0, 1])]),
    )
    const path = join(inputs, 'one.npz')
    const again = await workspace.result('datasets.import', { path, name: 'another name' })
    expect(again.dataset).toEqual(first)
    const scaled = await workspace.result('datasets.import', { path, preprocessing: { scale: 2 } })
    expect(scaled.dataset).toMatchObject({ name: 'one (2)', preprocessing: { scale: 2 } })
    expect(scaled.dataset.files).toEqual(first.files)
    await call('datasets.remove', { id: scaled.dataset.id })
    // Its files belong to the first one as well.
    expect(blobs()).toBe(first.files.length)
    expect((await call('datasets.samples', { id: first.id })).total).toBe(4)
    await call('datasets.remove', { id: first.id })
    expect(blobs()).toBe(0)
  })

  test('a broken dataset leaves nothing', async () => {
    writeFileSync(join(inputs, 'bad.csv'), 'a,b\n1,2\n3\n')
    expect(await workspace.job('datasets.import', { path: join(inputs, 'bad.csv') })).toMatchObject({
      state: 'failed',
      error: { code: 'DATASET_INVALID', message: 'bad.csv, line 3: expected 2 cells as in the header, found 1.' },
    })
    expect(workspace.leftovers()).toEqual([])
    expect(blobs()).toBe(0)
  })

  test('is cancelled at once and leaves nothing', async () => {
    const path = join(inputs, 'large.csv')
    await pipeline(function* () {
      yield 'a,b\n'
      for (let piece = 0; piece < 400; piece++) yield '1.5,2.5\n'.repeat(10_000)
    }, createWriteStream(path))
    const { jobId } = await call('datasets.import', { path })
    await expect.poll(async () => (await call('jobs.get', { id: jobId })).progress?.unit, { timeout: 60_000, interval: 20 }).toBe('bytes')
    await call('jobs.cancel', { id: jobId })
    expect(await call('jobs.wait', { id: jobId })).toMatchObject({ state: 'cancelled' })
    expect(await list()).toEqual([])
    expect(workspace.leftovers()).toEqual([])
    expect(blobs()).toBe(0)
    rmSync(path)
  }, 180_000)

  test('parts that a dataset comes in are its splits', async () => {
    const path = join(inputs, 'mnist.npz')
    writeFileSync(
      path,
      writeNpz([
        array('x_train', 'uint8', counting(8), [4, 2]),
        array('y_train', 'uint8', [0, 1, 0, 1]),
        array('x_test', 'uint8', counting(4), [2, 2]),
        array('y_test', 'uint8', [1, 1]),
      ]),
    )
    const made = await workspace.result('datasets.import', { path })
    expect(made.splits.map(({ name, split, parentId, report }) => [name, split, parentId, report.samples])).toEqual([
      ['mnist train', 'train', made.dataset.id, 4],
      ['mnist test', 'test', made.dataset.id, 2],
    ])
    expect(await workspace.result('datasets.import', { path })).toEqual(made)
    await expect(call('datasets.remove', { id: made.dataset.id })).rejects.toMatchObject({
      code: 'IN_USE',
      message: '"mnist" was divided: "mnist train" is a part of it',
    })
    for (const { id } of [...made.splits, made.dataset]) await call('datasets.remove', { id })
    expect(blobs()).toBe(0)
  })
})

describe('a table', () => {
  let dataset: Dataset
  beforeAll(async () => {
    dataset = await importFile('flowers.csv', table())
  }, 180_000)

  test('is divided, its parts are divided again, and the same seed gives the same parts', async () => {
    const parts = [
      { name: 'train', share: 0.8 },
      { name: 'test', share: 0.2 },
    ]
    const [train, held] = (await workspace.result('datasets.split', { id: dataset.id, parts, seed: 5 })) as [Dataset, Dataset]
    expect([train.name, held.name, train.report.samples, held.report.samples]).toEqual(['flowers train', 'flowers test', 48, 12])
    expect(held.report.classCounts).toEqual({ 0: 4, 1: 4, 2: 4 })
    expect(train.columns).toEqual(dataset.columns)
    expect((await workspace.result('datasets.split', { id: dataset.id, parts, seed: 5 })).map(({ id }) => id)).toEqual([train.id, held.id])
    const [fit, check] = (await workspace.result('datasets.split', {
      id: train.id,
      parts: [
        { name: 'fit', share: 0.75 },
        { name: 'check', share: 0.25 },
      ],
    })) as [Dataset, Dataset]
    expect([fit.name, fit.parentId, fit.report.samples, check.report.samples]).toEqual(['flowers train fit', train.id, 36, 12])
    // Together the parts are the whole: every sample once.
    const values = async (id: string) =>
      (await call('datasets.samples', { id, count: 100 })).samples.map(({ values: [row], label }) => `${row?.first.join()} ${label}`)
    const whole = await values(dataset.id)
    expect([...(await values(fit.id)), ...(await values(check.id)), ...(await values(held.id))].sort()).toEqual(whole.sort())
    const { pairs } = await call('datasets.duplicates', { ids: [dataset.id, train.id, held.id] })
    const between = (a: string, b: string) => pairs.find((pair) => pair.a === a && pair.b === b)?.count
    expect(between(dataset.id, dataset.id)).toBe(1)
    expect(between(dataset.id, train.id)).toBe(48)
    const inBoth = (between(train.id, train.id) ?? 0) + (between(train.id, held.id) ?? 0) + (between(held.id, held.id) ?? 0)
    expect(inBoth).toBe(1)
    for (const { id } of [fit, check, train, held]) await call('datasets.remove', { id })
  }, 180_000)

  test('cannot be divided into what it does not have', async () => {
    const part = (name: string, share: number) => ({ name, share })
    await expect(call('datasets.split', { id: dataset.id, parts: [part('a', 0.5), part('a', 0.5)] })).rejects.toMatchObject({
      code: 'USAGE',
    })
    expect(await workspace.job('datasets.split', { id: dataset.id, parts: [part('a', 0.9), part('b', 0.2)] })).toMatchObject({
      state: 'failed',
      error: { code: 'USAGE', message: expect.stringMatching(/add up to 1\.1/) },
    })
    expect(workspace.leftovers()).toEqual([])
  })

  test('is looked at by class and by index', async () => {
    const { total, samples } = await call('datasets.samples', { id: dataset.id, class: 2, from: 18, count: 5 })
    expect(total).toBe(19)
    expect(samples).toMatchObject([{ index: 56, label: 2, labelName: null, target: null, picture: null }])
    expect((await call('datasets.samples', { id: dataset.id, indices: [59, 0] })).samples.map(({ values }) => values[0]?.first)).toEqual([
      expect.any(Array),
      expect.any(Array),
    ])
    await expect(call('datasets.samples', { id: dataset.id, indices: [60] })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('is renamed', async () => {
    expect(await call('datasets.rename', { id: dataset.id, name: 'irises' })).toMatchObject({ name: 'irises' })
    const other = await importFile('other.csv', 'a,label\n1,0\n2,1\n')
    await expect(call('datasets.rename', { id: other.id, name: 'irises' })).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    await call('datasets.remove', { id: other.id })
  })

  test('that results refer to keeps its description: a copy gets the new one', async () => {
    const linear = makeModel({
      nodes: [makeNode('Softmax', ['features'], ['scores'], {})],
      inputs: [makeValueInfo('features', 'float32', ['N', 4])],
      outputs: [makeValueInfo('scores', 'float32', ['N', 4])],
    })
    writeFileSync(join(inputs, 'linear.onnx'), encodeModel(linear))
    const model = await call('models.import', { path: join(inputs, 'linear.onnx') })
    const mean = [50, 50, 50, 50]
    const free = await workspace.result('datasets.setPreprocessing', { id: dataset.id, preprocessing: { mean } })
    expect(free).toMatchObject({ id: dataset.id, preprocessing: { mean } })
    await workspace.result('evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId: LOCAL_DEVICE_ID })
    const copy = await workspace.result('datasets.setPreprocessing', { id: dataset.id, preprocessing: { mean, std: [9, 9, 9, 9] } })
    expect(copy.id).not.toBe(dataset.id)
    expect(copy).toMatchObject({ name: 'irises (2)', preprocessing: { mean, std: [9, 9, 9, 9] }, files: dataset.files })
    await expect(call('datasets.remove', { id: dataset.id })).rejects.toMatchObject({ code: 'IN_USE' })
    await expect(
      workspace.result('datasets.setPreprocessing', { id: copy.id, preprocessing: { image: { width: 8, height: 8 } } }),
    ).rejects.toThrow(/USAGE.*was not made of image files/)
    await call('datasets.remove', { id: copy.id })
  }, 180_000)
})

describe('a folder of images', () => {
  let dataset: Dataset
  beforeAll(async () => {
    dataset = (await workspace.result('datasets.import', { path: await pictures() })).dataset
  }, 180_000)

  test('is shown by its files, and look-alikes are found', async () => {
    const { samples } = await call('datasets.samples', { id: dataset.id })
    expect(samples.map(({ labelName, picture }) => [labelName, picture?.width, picture?.height])).toEqual([
      ['cat', 96, 58],
      ['cat', 96, 58],
      ['dog', 80, 80],
      ['dog', 96, 58],
    ])
    expect((await call('datasets.duplicates', { ids: [dataset.id] })).pairs).toEqual([
      { a: dataset.id, b: dataset.id, count: 0, similar: 1, examples: [{ indexA: 0, indexB: 3, kind: 'similar' }] },
    ])
  })

  test('is sent to devices without what they do not need', () => {
    expect(runTimeFiles(dataset).map(({ name }) => name)).toEqual(['images', 'labels'])
    expect(datasetSource(dataset, (sha256) => `/there/${sha256}`)).toMatchObject({
      format: 'arrays',
      files: [{ name: 'images' }, { role: 'array' }],
    })
  })

  test('is previewed with a description that is not stored, beside a model', async () => {
    const conv = makeModel({
      nodes: [makeNode('Relu', ['picture'], ['out'], {})],
      inputs: [makeValueInfo('picture', 'float32', ['N', 3, 32, 48])],
      outputs: [makeValueInfo('out', 'float32', ['N', 3, 32, 48])],
    })
    writeFileSync(join(inputs, 'conv.onnx'), encodeModel(conv))
    const model = await call('models.import', { path: join(inputs, 'conv.onnx') })
    const image = { width: 48, height: 32, resize: 'contain' as const, pad: [255, 0, 0] as [number, number, number] }
    const preview = (preprocessing: Parameters<typeof call<'datasets.preview'>>[1]['preprocessing']) =>
      call('datasets.preview', { id: dataset.id, index: 2, preprocessing, modelId: model.id })
    const good = await preview({ image, scale: 1 / 255, mean: [0.5], layout: 'channels-first' })
    expect(good).toMatchObject({
      original: { width: 80, height: 80 },
      prepared: { width: 48, height: 32 },
      inputs: [{ name: 'picture', type: 'float32', shape: [1, 3, 32, 48], min: -0.5, max: 0.5 }],
      problems: [],
    })
    // The border is pure red.
    expect([...(good.prepared?.rgba.subarray(0, 4) ?? [])]).toEqual([255, 0, 0, 255])
    const bytes = await preview({ image, layout: 'channels-first' })
    expect(bytes).toMatchObject({ prepared: null, inputs: [], problems: [{ code: 'DATASET_TYPE' }] })
    expect(bytes.original?.width).toBe(80)
    expect((await preview({ image: { ...image, width: 40 }, scale: 1 })).problems).toMatchObject([{ code: 'DATASET_SHAPE' }])
    expect((await call('datasets.list', {})).find(({ id }) => id === dataset.id)).toEqual(dataset)
    const alone = await call('datasets.preview', { id: dataset.id, preprocessing: { scale: 1 / 255 } })
    expect(alone).toMatchObject({ inputs: [{ name: 'images', type: 'float32', shape: [1, 224, 224, 3] }], problems: [] })
  }, 180_000)

  test('gets other pixels, and its splits with it', async () => {
    const [cats] = (await workspace.result('datasets.split', {
      id: dataset.id,
      parts: [
        { name: 'half', share: 0.5 },
        { name: 'rest', share: 0.5 },
      ],
    })) as [Dataset]
    const before = blobs()
    const changed = await workspace.result('datasets.setPreprocessing', {
      id: dataset.id,
      preprocessing: { image: { width: 16, height: 8, colour: 'grey' }, scale: 1 / 255 },
    })
    expect(changed).toMatchObject({
      id: dataset.id,
      report: { arrays: [{ shape: [4, 8, 16, 1] }, { name: 'labels' }], classCounts: { 0: 2, 1: 2 } },
    })
    expect(changed.report.statistics[0]?.mean).toHaveLength(1)
    const split = (await call('datasets.list', {})).find(({ id }) => id === cats.id) as Dataset
    expect(split).toMatchObject({ preprocessing: changed.preprocessing, report: { samples: 2, arrays: [{ shape: [2, 8, 16, 1] }, {}] } })
    expect(split.files.find(({ name }) => name === 'images')).toEqual(changed.files.find(({ name }) => name === 'images'))
    // The old pixels and hashes are gone.
    expect(blobs()).toBe(before)
    expect(workspace.leftovers()).toEqual([])
    const kept = await workspace.result('datasets.setPreprocessing', { id: dataset.id, preprocessing: { scale: 1 } })
    expect(kept.preprocessing).toEqual({ ...changed.preprocessing, scale: 1 })
  }, 180_000)

  test('goes with all its files', async () => {
    for (const { id, parentId } of await call('datasets.list', {})) if (parentId === dataset.id) await call('datasets.remove', { id })
    await call('datasets.remove', { id: dataset.id })
    for (const { sha256 } of dataset.files) expect(existsSync(join(workspace.folder, 'blobs', sha256.slice(0, 2), sha256))).toBe(false)
  })
})
