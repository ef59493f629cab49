import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DatasetSource, datasetReportSchema, type Preprocessing } from '../../../src/contract/dataset.ts'
import { engineResultSchemas } from '../../../src/contract/engine-protocol.ts'
import type { NumericArray } from '../../../src/core/datasets/numeric-array.ts'
import { writeNpy, writeNpz } from '../../../src/core/datasets/write-npz.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { describeDataset as describeSource } from '../../../src/engine/datasets/describe-dataset.ts'
import { datasetFormatOf, labelsBeside } from '../../../src/engine/datasets/find-dataset-files.ts'
import { openDataset, readSample } from '../../../src/engine/datasets/open-dataset.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { array, counting, port } from '../../core/datasets/arrays.ts'
import { classifier } from '../../core/onnx/sample-models.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-datasets-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function npz(arrays: readonly NumericArray[], preprocessing: Preprocessing = {}): Promise<DatasetSource> {
  const path = join(folder, 'data.npz')
  await writeFile(path, writeNpz(arrays))
  return { format: 'npz', name: 'data.npz', files: [{ role: 'samples', path }], preprocessing }
}

/** The report on datasets of version 1, which are kept as they came. */
const describeDataset = async (source: DatasetSource) => (await describeSource(source, { progress: () => {}, log: () => {} })).report

const be32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
const idx = (dims: number[], body: readonly number[]) => Uint8Array.from([0, 0, 8, dims.length, ...dims.flatMap(be32), ...body])

async function idxSource(images: Uint8Array, labels?: Uint8Array, preprocessing: Preprocessing = {}): Promise<DatasetSource> {
  const path = join(folder, 'train-images-idx3-ubyte.gz')
  await writeFile(path, images)
  if (labels) await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels)
  return { format: 'idx', name: 'digits', files: [{ role: 'samples', path }], preprocessing }
}

const image = port('x', 'float32', 'N', 1, 2, 2)
const samples = array('x', 'float32', counting(12), [3, 2, 2])
const labels = array('labels', 'int64', [2, 0, 2])

describe('an .npz', () => {
  test('gives batches, gathered samples and labels', async () => {
    const dataset = await openDataset(await npz([samples, labels]), [image])
    expect(dataset).toMatchObject({ sampleCount: 3, fixedBatch: undefined, preprocessing: {} })
    expect([...dataset.labels!]).toEqual([2, 0, 2])
    expect(dataset.batch(1, 1).x).toEqual({ type: 'float32', dims: [1, 1, 2, 2], values: Float32Array.of(4, 5, 6, 7) })
    expect(dataset.gather([2, 1]).x?.dims).toEqual([2, 1, 2, 2])
  })

  test('is described', async () => {
    const report = await describeDataset(await npz([samples, labels, array('mean', 'float64', [0.5])]))
    expect(report).toEqual({
      samples: 3,
      arrays: [
        { name: 'x', type: 'float32', shape: [3, 2, 2] },
        { name: 'labels', type: 'int64', shape: [3] },
        { name: 'mean', type: 'float64', shape: [1] },
      ],
      labelled: true,
      classCounts: { 0: 1, 2: 2 },
      // 12 values of 4 bytes, 3 labels of 8, a mean of 8.
      sizeBytes: 80,
      targets: null,
      // 0 … 11: the mean is 11/2, the variance (12² − 1)/12.
      statistics: [{ array: 'x', axis: null, mean: [5.5], std: [expect.closeTo(Math.sqrt(143 / 12), 12)], min: [0], max: [11] }],
      duplicates: 0,
      notes: [],
    })
    expect(datasetReportSchema.parse(report)).toEqual(report)
  })

  test('without labels has none', async () => {
    const source = await npz([samples])
    expect((await openDataset(source, [image])).labels).toBeUndefined()
    expect(await describeDataset(source)).toMatchObject({ labelled: false, classCounts: null })
    expect((await readSample(source, [image], 0)).label).toBeNull()
  })

  test('is preprocessed', async () => {
    const source = await npz([array('x', 'uint8', [0, 51, 102, 255], [1, 2, 2])], { scale: 1 / 255, mean: [0.2], std: [0.2] })
    const { values } = (await openDataset(source, [image])).batch(0, 1).x!
    expect([...(values as Float32Array)]).toEqual([...Float32Array.of(-1, 0, 1, 4)])
  })

  test('has classes in floating point targets that are whole, else values to regress', async () => {
    const whole = await openDataset(await npz([samples, array('targets', 'float32', [2, 0, 1])]), [image])
    expect([whole.labels, whole.targets]).toEqual([Int32Array.of(2, 0, 1), undefined])
    const values = await openDataset(await npz([samples, array('targets', 'float64', [2, 0.5, -1])]), [image])
    expect([values.labels, values.targets]).toEqual([undefined, { width: 1, values: Float32Array.of(2, 0.5, -1) }])
  })

  test('feeds a model in the runtime', async () => {
    const model = await onnxRuntime.load(encodeModel(classifier()))
    try {
      const dataset = await openDataset(
        await npz([
          array(
            'input',
            'float32',
            counting(128).map((value) => value / 128),
            [2, 8, 8],
          ),
          array('labels', 'uint8', [0, 2]),
        ]),
        model.inputs,
      )
      const { y } = await model.run(dataset.batch(0, 2))
      expect(y?.dims).toEqual([2, 3])
    } finally {
      await model.close()
    }
  })

  test.each<[string, NumericArray[], Preprocessing, string, RegExp]>([
    [
      'no array for the input',
      [array('a', 'float32', [1]), array('b', 'float32', [1])],
      {},
      'DATASET_ARRAY_MISSING',
      /needs an array "x" float32\[N,1,2,2\]; data\.npz has "a" float32\[1\], "b" float32\[1\]/,
    ],
    [
      'another shape',
      [array('x', 'float32', counting(9), [1, 3, 3])],
      {},
      'DATASET_SHAPE',
      /array "x" of data\.npz have shape \[3,3\], but model input "x" needs \[1,2,2\]/,
    ],
    [
      'bytes without preprocessing',
      [array('x', 'uint8', counting(4), [1, 2, 2])],
      {},
      'DATASET_TYPE',
      /uint8, but model input "x" is float32/,
    ],
    ['no samples', [array('x', 'float32', [], [0, 2, 2])], {}, 'DATASET_EMPTY', /data\.npz holds no sample/],
    [
      'too few labels',
      [samples, array('labels', 'int64', [1])],
      {},
      'DATASET_LABELS',
      /"labels" of data\.npz has 1 labels, but there are 3 samples/,
    ],
    ['negative labels', [samples, array('labels', 'int64', [0, -1, 0])], {}, 'DATASET_LABELS', /negative label -1 in row 1/],
    [
      'NaN',
      [array('x', 'float32', [0, 0, 0, 0, 0, Number.NaN, 0, 0], [2, 2, 2])],
      {},
      'DATASET_INVALID',
      /"x" of data\.npz holds NaN in sample 1 \(element 1\)/,
    ],
    ['preprocessing for three channels', [samples], { mean: [1, 2, 3] }, 'DATASET_SHAPE', /no channel axis of that size/],
  ])('%s', async (_, arrays, preprocessing, code, message) => {
    await expect(openDataset(await npz(arrays, preprocessing), [image])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  test.each<[string, NumericArray[], string, RegExp]>([
    ['nothing', [], 'DATASET_EMPTY', /no array of samples/],
    ['labels alone', [labels], 'DATASET_EMPTY', /no array of samples/],
    ['no samples', [array('x', 'float32', [], [0, 3])], 'DATASET_EMPTY', /holds no sample/],
    ['labels for others', [samples, array('y', 'int64', [1])], 'DATASET_LABELS', /"y" of data\.npz has 1 labels, but there are 3 samples/],
    ['infinity', [array('x', 'float64', [1, Number.POSITIVE_INFINITY], [2, 1])], 'DATASET_INVALID', /Infinity in sample 1/],
    [
      'NaN among the targets',
      [samples, array('targets', 'float32', [1.5, Number.NaN, 3])],
      'DATASET_INVALID',
      /"targets" of data\.npz holds NaN in sample 1/,
    ],
  ])('is not described with %s', async (_, arrays, code, message) => {
    await expect(describeDataset(await npz(arrays))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a truncated file', async () => {
    const source = await npz([samples, labels])
    const bytes = await readFile(join(folder, 'data.npz'))
    await writeFile(join(folder, 'data.npz'), bytes.subarray(0, bytes.length - 30))
    await expect(describeDataset(source)).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/^data\.npz cannot be read/),
    })
  })

  test('a file that is not there', async () => {
    await expect(
      describeDataset({ format: 'npz', name: 'data.npz', files: [{ role: 'samples', path: join(folder, 'none') }], preprocessing: {} }),
    ).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    await expect(
      describeDataset({ format: 'npz', name: 'data.npz', files: [{ role: 'labels', path: join(folder, 'none') }], preprocessing: {} }),
    ).rejects.toMatchObject({ code: 'DATASET_INVALID', message: expect.stringMatching(/names no samples file/) })
  })

  test('class names as text are no labels, and other text is left alone', async () => {
    const text = await readFile(join(import.meta.dirname, '../../core/datasets/fixtures/text.npy'))
    const source = await npz([samples])
    const path = join(folder, 'data.npz')
    await writeFile(path, zipSync({ 'x.npy': writeNpy(samples), 'names.npy': text }))
    expect((await describeDataset(source)).arrays).toContainEqual({ name: 'names', type: 'text', shape: [2] })
    expect((await openDataset(source, [image])).sampleCount).toBe(3)
    await writeFile(path, zipSync({ 'x.npy': writeNpy(samples), 'labels.npy': text }))
    await expect(openDataset(source, [image])).rejects.toMatchObject({
      code: 'DATASET_LABELS',
      message: expect.stringMatching(/hold text, expected class indices/),
    })
  })
})

describe('IDX files', () => {
  const images = idx([3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])

  test('are scaled to 0…1 and find their labels beside', async () => {
    const dataset = await openDataset(await idxSource(gzipSync(images), idx([3], [7, 0, 1])), [image])
    expect(dataset).toMatchObject({ sampleCount: 3, preprocessing: { scale: 1 / 255 } })
    expect([...(dataset.batch(0, 1).x!.values as Float32Array)]).toEqual([...Float32Array.of(0, 0.2, 0.4, 1)])
    expect([...dataset.labels!]).toEqual([7, 0, 1])
  })

  test('are described', async () => {
    expect(await describeDataset(await idxSource(images, gzipSync(idx([3], [7, 0, 7]))))).toMatchObject({
      samples: 3,
      arrays: [
        { name: 'images', type: 'uint8', shape: [3, 2, 2] },
        { name: 'labels', type: 'uint8', shape: [3] },
      ],
      classCounts: { 0: 1, 7: 2 },
    })
  })

  test('take given preprocessing instead of the default', async () => {
    const dataset = await openDataset(await idxSource(images, undefined, { scale: 1 }), [image])
    expect(dataset).toMatchObject({ labels: undefined, preprocessing: { scale: 1 } })
    expect([...(dataset.batch(0, 1).x!.values as Float32Array)]).toEqual([0, 51, 102, 255])
  })

  test('stay bytes for an input of bytes', async () => {
    const dataset = await openDataset(await idxSource(images), [port('x', 'uint8', 'N', 1, 2, 2)])
    expect(dataset.batch(0, 1).x).toEqual({ type: 'uint8', dims: [1, 1, 2, 2], values: Uint8Array.of(0, 51, 102, 255) })
    expect(dataset.preprocessing).toEqual({})
  })

  test('are named in errors', async () => {
    await expect(describeDataset(await idxSource(images.subarray(0, 20)))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/^digits cannot be read: .* need 12 bytes, found 4 \(at byte 16\)/),
    })
    await expect(describeDataset(await idxSource(images, idx([4], [1])))).rejects.toMatchObject({
      message: expect.stringMatching(/^the labels file of digits cannot be read/),
    })
    await expect(describeDataset(await idxSource(images, idx([2], [1, 2])))).rejects.toMatchObject({
      code: 'DATASET_LABELS',
      details: { expected: 3, found: 2 },
    })
    await expect(openDataset(await idxSource(images), [image, port('mask', 'float32', 'N')])).rejects.toMatchObject({
      code: 'DATASET_ARRAY_MISSING',
    })
  })
})

describe('one sample', () => {
  test('as JSON, without the batch dimension', async () => {
    const source = await npz([samples, labels], { scale: 2 })
    const sample = await readSample(source, [image], 1)
    expect(sample).toEqual({
      inputs: {
        x: [
          [
            [8, 10],
            [12, 14],
          ],
        ],
      },
      label: 0,
    })
    expect(engineResultSchemas['read-sample'].parse(sample)).toEqual(sample)
    expect(JSON.parse(JSON.stringify(sample))).toEqual(sample)
  })

  test('as it is stored, for a service that preprocesses itself', async () => {
    const source = await npz([array('x', 'uint8', counting(8), [2, 2, 2])])
    expect((await readSample(source, [image], 1, { raw: true })).inputs).toEqual({
      x: [
        [
          [4, 5],
          [6, 7],
        ],
      ],
    })
  })

  test('that is not there', async () => {
    await expect(readSample(await npz([samples]), [image], 3)).rejects.toMatchObject({
      code: 'USAGE',
      message: 'data.npz has no sample 3: it has 3 (0 to 2).',
    })
  })
})

describe('finding the files of a dataset', () => {
  const write = async (...names: string[]) => {
    for (const name of names) await writeFile(join(folder, name), idx([1], [0]))
  }

  test.each([
    ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
    ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
    ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte'],
    ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte.gz'],
    ['train-images.idx3-ubyte', 'train-labels.idx1-ubyte'],
    ['emnist-letters-train-images-idx3-ubyte', 'emnist-letters-train-labels-idx1-ubyte'],
  ])('%s has its labels in %s', async (name, beside) => {
    await write(name, beside, 'other-labels-idx1-ubyte')
    expect(await labelsBeside(join(folder, name))).toBe(join(folder, beside))
  })

  test('labels of another part are not taken', async () => {
    await write('train-images-idx3-ubyte', 't10k-labels-idx1-ubyte')
    expect(await labelsBeside(join(folder, 'train-images-idx3-ubyte'))).toBeUndefined()
    expect(await labelsBeside(join(folder, 'digits.idx'))).toBeUndefined()
  })

  test('the kind is told by the first bytes, a table by its name', async () => {
    await write('train-images-idx3-ubyte')
    await npz([samples])
    await writeFile(join(folder, 'one.npy'), writeNpy(samples))
    await writeFile(join(folder, 'packed.bin'), gzipSync(idx([1], [0])))
    await writeFile(join(folder, 'table.CSV'), 'a,b\n1,2')
    const kinds = ['data.npz', 'one.npy', 'train-images-idx3-ubyte', 'packed.bin', 'table.CSV', '.'].map((name) =>
      datasetFormatOf(join(folder, name)),
    )
    expect(await Promise.all(kinds)).toEqual(['npz', 'npy', 'idx', 'idx', 'csv', 'images'])
  })

  test.each<[string, Uint8Array | string, string, RegExp]>([
    ['an empty file', '', 'DATASET_INVALID', /a\.bin is empty/],
    ['a single image', '\xff\xd8\xff\xe0', 'DATASET_INVALID', /a\.bin is a single image/],
    ['text', 'a,b\n1,2', 'DATASET_INVALID', /a\.bin is no \.npz, \.npy, IDX or \.csv file/],
  ])('%s is refused', async (_, content, code, message) => {
    await writeFile(join(folder, 'a.bin'), typeof content === 'string' ? Buffer.from(content, 'latin1') : content)
    await expect(datasetFormatOf(join(folder, 'a.bin'))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a missing file', async () => {
    await expect(datasetFormatOf(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })
})
