import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DatasetColumn, DatasetSource } from '../../../src/contract/dataset.ts'
import { bindSamples } from '../../../src/core/datasets/sample-set.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import type { Port } from '../../../src/core/inference-runtime.ts'
import { describeDataset } from '../../../src/engine/datasets/describe-dataset.ts'
import { openDataset, readSample } from '../../../src/engine/datasets/open-dataset.ts'
import { array, counting, port } from '../../core/datasets/arrays.ts'
import { plainArrays } from './plain-arrays.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-arrays-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const x = array('x', 'float32', counting(12), [6, 2])
const labels = array('labels', 'int32', [0, 1, 2, 0, 1, 2])
const input = port('x', 'float32', 'N', 2)

async function reject(source: DatasetSource, inputs: readonly Port[], code: string, message: RegExp): Promise<void> {
  const reading = async () => {
    const dataset = await openDataset(source, inputs)
    try {
      dataset.batch(0, dataset.sampleCount)
    } finally {
      dataset.close()
    }
  }
  await expect(reading()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
}

describe('plain arrays', () => {
  test('give batches, gathered samples and labels, until they are closed', async () => {
    const dataset = await openDataset(plainArrays(folder, [x, labels]), [input])
    expect(dataset).toMatchObject({ sampleCount: 6, fixedBatch: undefined, targets: undefined, preprocessing: {} })
    expect(dataset.labels).toEqual(Int32Array.of(0, 1, 2, 0, 1, 2))
    expect(dataset.batch(1, 2).x).toEqual({ type: 'float32', dims: [2, 2], values: Float32Array.of(2, 3, 4, 5) })
    expect(dataset.gather([5, 0, 5]).x).toEqual({ type: 'float32', dims: [3, 2], values: Float32Array.of(10, 11, 0, 1, 10, 11) })
    dataset.close()
    expect(() => dataset.batch(0, 1)).toThrow(/closed/)
  })

  test('are what the same arrays in memory are', async () => {
    const images = array(
      'images',
      'uint8',
      counting(6 * 4 * 5 * 3).map((value) => (value * 7) % 256),
      [6, 4, 5, 3],
    )
    const steps = {
      scale: 1 / 255,
      mean: [0.4, 0.5, 0.6],
      std: [0.2, 0.3, 0.4],
      stored: 'channels-last',
      layout: 'channels-first',
    } as const
    const image = port('in', 'float32', 'N', 3, 4, 5)
    const inMemory = bindSamples([{ input: image, array: images, steps }], 'data')
    const dataset = await openDataset(
      plainArrays(folder, [images], { preprocessing: { ...steps, mean: [...steps.mean], std: [...steps.std] } }),
      [image],
    )
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 9 }), (indices) => {
        expect(dataset.gather(indices)).toEqual(inMemory.gather(indices))
      }),
    )
    expect(dataset.batch(0, 6)).toEqual(inMemory.batch(0, 6))
    dataset.close()
  })

  test('with floating point targets have values to regress', async () => {
    for (const [values, shape, width] of [
      [[1.5, 2, 3, 4, 5, 6], [6], 1],
      [counting(12), [6, 2], 2],
    ] as const) {
      const source = plainArrays(folder, [x, array('targets', 'float64', values, shape)])
      const dataset = await openDataset(source, [input])
      expect(dataset.labels).toBeUndefined()
      expect(dataset.targets).toEqual({ width, values: Float32Array.from(values) })
      dataset.close()
      expect((await readSample(source, [input], 2)).label).toBeNull()
    }
  })

  test('called labels are classes as long as they are whole', async () => {
    const opened = async (values: number[]) => {
      const dataset = await openDataset(plainArrays(folder, [x, array('labels', 'float32', values)]), [input])
      dataset.close()
      return [dataset.labels, dataset.targets]
    }
    expect(await opened([0, 1, 2, 0, 1, 2])).toEqual([Int32Array.of(0, 1, 2, 0, 1, 2), undefined])
    expect(await opened([0, 1, 2.5, 0, 1, 2])).toEqual([undefined, { width: 1, values: Float32Array.of(0, 1, 2.5, 0, 1, 2) }])
  })

  test.each<[string, () => DatasetSource, Port, string, RegExp]>([
    [
      'NaN',
      () => plainArrays(folder, [array('x', 'float32', [0, 1, 2, Number.NaN, 4, 5], [3, 2])]),
      input,
      'DATASET_INVALID',
      /Array "x" of data holds NaN in sample 1 \(element 1\)/,
    ],
    [
      'a number too large',
      () => plainArrays(folder, [array('x', 'int64', [0, 1, 2 ** 40, 3], [2, 2])]),
      port('x', 'int32', 'N', 2),
      'DATASET_TYPE',
      /holds 1099511627776 in sample 1/,
    ],
    [
      'a value that becomes too large',
      () => plainArrays(folder, [array('x', 'float32', [1, 2, 3, 1e30], [2, 2])], { preprocessing: { scale: 1e30 } }),
      input,
      'DATASET_TYPE',
      /a value of sample 1 is too large for float32 after preprocessing/,
    ],
    ['another shape', () => plainArrays(folder, [x]), port('x', 'float32', 'N', 3), 'DATASET_SHAPE', /needs \[3\]/],
    [
      'too few labels',
      () => plainArrays(folder, [x, array('labels', 'int32', [1])]),
      input,
      'DATASET_LABELS',
      /has 1 labels, but there are 6 samples/,
    ],
    [
      'negative labels',
      () => plainArrays(folder, [x, array('labels', 'int32', [0, 1, -2, 0, 0, 0])]),
      input,
      'DATASET_LABELS',
      /negative label -2 in row 2/,
    ],
    [
      'targets that are no numbers',
      () => plainArrays(folder, [x, array('targets', 'float32', [0, 1, Number.NaN, 0, 0, 0])]),
      input,
      'DATASET_INVALID',
      /"targets" of data holds NaN in sample 2/,
    ],
    [
      'targets of three dimensions',
      () => plainArrays(folder, [x, array('targets', 'float32', counting(24), [6, 2, 2])]),
      input,
      'DATASET_LABELS',
      /expected values to regress of shape \[N\] or \[N,K\]/,
    ],
    ['two arrays of a name', () => plainArrays(folder, [x, x]), input, 'DATASET_INVALID', /two arrays called "x"/],
    [
      'an array without a name',
      () => ({ ...plainArrays(folder, [x]), files: [{ role: 'array', path: join(folder, '0.npy') }] }),
      input,
      'DATASET_INVALID',
      /an array without a name/,
    ],
    [
      'no array',
      () => ({ ...plainArrays(folder, [x]), files: [{ role: 'hashes', path: join(folder, '0.npy') }] }),
      input,
      'DATASET_ARRAY_MISSING',
      /data has no arrays/,
    ],
  ])('with %s are refused', async (_, source, to, code, message) => {
    await reject(source(), [to], code, message)
  })

  test('that were cut are named', async () => {
    const source = plainArrays(folder, [x, labels])
    truncateSync(join(folder, '0.npy'), 130)
    await reject(source, [input], 'DATASET_INVALID', /^Array "x" of data cannot be read: its shape \[6,2\] .* need 48 bytes/)
  })
})

describe('a split', () => {
  test('consists of its rows, in their order', async () => {
    const rows = array('rows', 'int32', [4, 0, 1, 2, 5])
    const dataset = await openDataset(plainArrays(folder, [x, labels], { rows }), [input])
    expect(dataset.sampleCount).toBe(5)
    expect(dataset.labels).toEqual(Int32Array.of(1, 0, 1, 2, 2))
    expect(dataset.batch(0, 5).x!.values).toEqual(Float32Array.of(8, 9, 0, 1, 2, 3, 4, 5, 10, 11))
    expect(dataset.gather([4, 0]).x!.values).toEqual(Float32Array.of(10, 11, 8, 9))
    dataset.close()
  })

  test('leaves arrays whole that have no entry for each sample', async () => {
    const names = array('weights', 'float32', counting(100), [50, 2])
    const source = plainArrays(folder, [x, labels, names], { rows: array('rows', 'int32', [5, 1]) })
    const dataset = await openDataset(source, [input])
    expect(dataset.batch(0, 2).x!.values).toEqual(Float32Array.of(10, 11, 2, 3))
    dataset.close()
    const { report } = await describeDataset(source, { progress: () => {}, log: () => {} })
    expect(report.samples).toBe(2)
    expect(report.arrays.map(({ shape }) => shape)).toEqual([[2, 2], [2], [50, 2]])
  })

  test('of a dataset that was kept as it came has its rows only', async () => {
    const rows = plainArrays(folder, [], { rows: array('rows', 'int32', [4, 0]) }).files
    const samples = join(folder, 'data.npz')
    writeFileSync(samples, writeNpz([x, labels]))
    const source: DatasetSource = { format: 'npz', name: 'data', files: [{ role: 'samples', path: samples }, ...rows], preprocessing: {} }
    const dataset = await openDataset(source, [input])
    expect(dataset.sampleCount).toBe(2)
    expect(dataset.labels).toEqual(Int32Array.of(1, 0))
    expect(dataset.batch(0, 2).x!.values).toEqual(Float32Array.of(8, 9, 0, 1))
    dataset.close()
  })

  test('has the samples of its rows, whatever they are', async () => {
    const big = array('x', 'int16', counting(300), [100, 3])
    const rowNumbers = fc.array(fc.nat(99), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(rowNumbers, fc.boolean(), async (picked, sorted) => {
        const rows = sorted ? [...picked].sort((a, b) => a - b) : picked
        const source = plainArrays(folder, [big], { rows: array('rows', 'int32', rows) })
        const dataset = await openDataset(source, [port('x', 'int32', 'N', 3)])
        expect(dataset.batch(0, rows.length).x!.values).toEqual(Int32Array.from(rows.flatMap((row) => [3 * row, 3 * row + 1, 3 * row + 2])))
        dataset.close()
      }),
      { numRuns: 50 },
    )
  })

  test.each<[string, ReturnType<typeof array>, string, RegExp]>([
    [
      'a row that is not there',
      array('rows', 'int32', [0, 6]),
      'DATASET_INVALID',
      /The split "data" names row 6 \(entry 1\), but array "x" has 6 rows/,
    ],
    ['a negative row', array('rows', 'int32', [-1]), 'DATASET_INVALID', /names row -1/],
    ['rows of another type', array('rows', 'int64', [0]), 'DATASET_INVALID', /are int64\[1\], expected one int32\[N\]/],
    ['no row', array('rows', 'int32', []), 'DATASET_EMPTY', /holds no row/],
  ])('with %s is refused', async (_, rows, code, message) => {
    await reject(plainArrays(folder, [x], { rows }), [input], code, message)
  })
})

describe('a table', () => {
  const number = (name: string): DatasetColumn => ({ name, kind: 'number', categories: null, missing: 0 })
  const colour: DatasetColumn = { name: 'colour', kind: 'category', categories: ['red', 'green', 'blue'], missing: 0 }
  const columns = [number('age'), colour, number('height')]
  const features = array('features', 'float32', [30, 2, 1.5, 41, 0, 1.75], [2, 3])
  const targets = array('targets', 'float32', [1.5, 2.5])
  const table = () => plainArrays(folder, [features, targets], { columns })

  test.each<[string, Port]>([
    ['N features', port('float_input', 'float32', 'N', 3)],
    ['any number of features', port('anything', 'float32', undefined, undefined)],
    ['features with a dimension of 1', port('features', 'float32', 'N', 1, 3)],
  ])('feeds a single input of %s whole', async (_, to) => {
    const dataset = await openDataset(table(), [to])
    expect(dataset.batch(0, 2)[to.name]!.values).toEqual(Float32Array.of(30, 2, 1.5, 41, 0, 1.75))
    expect(dataset.targets).toEqual({ width: 1, values: Float32Array.of(1.5, 2.5) })
    dataset.close()
  })

  test('feeds inputs named like its columns, each in its type', async () => {
    const inputs = [port('colour', 'string', 'N', 1), port('height', 'float32', 'N'), port('age', 'int64', 'N', 1)]
    const dataset = await openDataset(table(), inputs)
    expect(dataset.batch(0, 2)).toEqual({
      colour: { type: 'string', dims: [2, 1], values: ['blue', 'red'] },
      height: { type: 'float32', dims: [2], values: Float32Array.of(1.5, 1.75) },
      age: { type: 'int64', dims: [2, 1], values: BigInt64Array.of(30n, 41n) },
    })
    expect(dataset.gather([1, 1]).colour!.values).toEqual(['red', 'red'])
    dataset.close()
    expect((await readSample(table(), inputs, 1, { raw: true })).inputs).toEqual({ colour: ['red'], height: 1.75, age: [41] })
  })

  test('of categories feeds a matrix of strings, of whole numbers one of integers', async () => {
    const codes = plainArrays(folder, [array('features', 'float32', [2, 0, 1, 1], [2, 2])], {
      columns: [colour, { ...colour, name: 'other' }],
    })
    const dataset = await openDataset(codes, [port('input', 'string', 'N', 2)])
    expect(dataset.batch(0, 2).input).toEqual({ type: 'string', dims: [2, 2], values: ['blue', 'red', 'green', 'green'] })
    dataset.close()
    const whole = await openDataset(codes, [port('input', 'int32', 'N', 2)])
    expect(whole.batch(0, 2).input!.values).toEqual(Int32Array.of(2, 0, 1, 1))
    whole.close()
  })

  test('is normalized feature by feature', async () => {
    const source = plainArrays(folder, [features], { columns, preprocessing: { mean: [30, 1, 1.5], std: [11, 1, 0.25] } })
    const dataset = await openDataset(source, [port('x', 'float32', 'N', 3)])
    expect(dataset.batch(0, 2).x!.values).toEqual(Float32Array.of(0, 1, 0, 1, -1, 1))
    dataset.close()
  })

  test.each<[string, Port[], object, string, RegExp]>([
    [
      'another number of features',
      [port('x', 'float32', 'N', 5)],
      {},
      'DATASET_SHAPE',
      /Model input "x" is float32\[N,5\]; data has 3 columns: "age", "colour", "height"/,
    ],
    [
      'inputs that are no columns',
      [port('age', 'float32', 'N', 1), port('weight', 'float32', 'N', 1)],
      {},
      'DATASET_ARRAY_MISSING',
      /inputs "age", "weight"; data has 3 columns: .*; no column is called "weight"/,
    ],
    [
      'numbers for strings',
      [port('age', 'string', 'N', 1), port('colour', 'string', 'N', 1)],
      {},
      'DATASET_TYPE',
      /Column "age" of .* holds numbers/,
    ],
    [
      'fractions for whole numbers',
      [port('age', 'int64', 'N'), port('height', 'int64', 'N')],
      {},
      'DATASET_TYPE',
      /Column "height" of data holds 1\.5 in sample 0/,
    ],
    ['preprocessing for strings', [port('colour', 'string', 'N', 1)], { scale: 2 }, 'DATASET_TYPE', /takes strings/],
    [
      'means of all features for one column',
      [port('age', 'float32', 'N', 1), port('height', 'float32', 'N', 1)],
      { mean: [1, 2, 3] },
      'DATASET_SHAPE',
      /3 values of mean or std/,
    ],
  ])('does not feed %s', async (_, inputs, preprocessing, code, message) => {
    await reject({ ...table(), preprocessing }, inputs, code, message)
  })

  test('with NaN or an unknown category is refused where it is read', async () => {
    const bad = plainArrays(folder, [array('features', 'float32', [1, 2, Number.NaN, 3], [2, 2])], {
      columns: [number('a'), { ...colour, name: 'b' }],
    })
    await reject(bad, [port('a', 'float32', 'N'), port('b', 'string', 'N')], 'DATASET_INVALID', /Column "a" of data holds NaN in sample 1/)
    await reject(
      bad,
      [port('b', 'string', 'N'), port('a', 'float32', 'N')],
      'DATASET_TYPE',
      /holds 3 in sample 1, which does not fit into the categories/,
    )
    await reject({ ...bad, columns: [number('a')] }, [port('a', 'float32', 'N')], 'DATASET_INVALID', /expected float32\[N,1\]/)
  })
})
