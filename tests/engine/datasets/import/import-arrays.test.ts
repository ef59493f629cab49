import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { zipSync } from 'fflate'
import { afterAll, describe, expect, test } from 'vitest'
import { toErrorReport } from '../../../../src/contract/errors.ts'
import type { NumericArray } from '../../../../src/core/datasets/numeric-array.ts'
import { npyHeader, writeNpy, writeNpz } from '../../../../src/core/datasets/write-npz.ts'
import { requireRoom } from '../../../../src/engine/datasets/import/disk-room.ts'
import { array, counting } from '../../../core/datasets/arrays.ts'
import { ImportFolder, rowsIn, valuesOf } from './import-folder.ts'
import '../../../fuzz-seed.ts'

const folder = new ImportFolder()
afterAll(() => folder.remove())
const npz = (arrays: readonly NumericArray[], name = 'data.npz') => folder.file(name, writeNpz(arrays))
const samples = array('x', 'float32', counting(12), [3, 2, 2])
const labels = array('labels', 'int64', [2, 0, 2])
const fixtures = join(import.meta.dirname, '../../../core/datasets/fixtures')

describe('an .npz', () => {
  test('becomes one file for each array', async () => {
    const made = await folder.import(npz([samples, labels, array('mean', 'float64', [0.5])]))
    expect(made).toMatchObject({ format: 'npz', preprocessing: {}, classNames: null, columns: null, splits: [] })
    expect(made.files.map(({ role, name }) => [role, name])).toEqual([
      ['array', 'x'],
      ['array', 'labels'],
      ['array', 'mean'],
      ['hashes', 'hashes'],
    ])
    expect([...(valuesOf(made, 'x') as Float32Array)]).toEqual(counting(12))
    expect(made.report).toMatchObject({ samples: 3, classCounts: { 0: 1, 2: 2 }, sizeBytes: 80, duplicates: 0 })
    expect(folder.leftovers()).toHaveLength(4)
  })

  test('stored, deflated, column-major and big-endian arrays give the same files', async () => {
    const plain = readFileSync(join(fixtures, 'fortran-order.npy'))
    const made = await folder.import(folder.file('f.npz', zipSync({ 'x.npy': plain })))
    const bytesOf = (result: typeof made) => result.files.map(({ path }) => readFileSync(path).toString('base64'))
    const values = Array.from(valuesOf(made, 'x') as ArrayLike<number | bigint>)
    const [entry] = made.report.arrays
    const rowMajor = { name: 'x', type: entry?.type as NumericArray['type'], shape: entry?.shape as number[] }
    const again = await folder.import(npz([array('x', rowMajor.type, values.map(Number), rowMajor.shape)], 'again.npz'))
    expect(bytesOf(again)[0]?.slice(-64)).toEqual(bytesOf(made)[0]?.slice(-64))
    const stored = await folder.import(folder.file('s.npz', writeNpz([samples], { compress: false })))
    expect(bytesOf(stored)).toEqual(bytesOf(await folder.import(npz([samples], 's2.npz'))))
    const big = new Uint8Array(writeNpy(array('x', 'int16', [1, 2, 3])))
    const text = Buffer.from(big).toString('latin1').replace('<i2', '>i2')
    const swapped = await folder.import(folder.file('b.npz', zipSync({ 'x.npy': Buffer.from(text, 'latin1') })))
    expect([...(valuesOf(swapped, 'x') as Int16Array)]).toEqual([256, 512, 768])
  })

  test('of train and test arrays becomes one dataset with two splits', async () => {
    const made = await folder.import(
      npz([
        array('x_train', 'uint8', counting(8), [4, 2]),
        array('y_train', 'uint8', [0, 1, 0, 1]),
        array('x_test', 'uint8', counting(4), [2, 2]),
        array('y_test', 'uint8', [1, 1]),
      ]),
    )
    expect([...(valuesOf(made, 'x') as Uint8Array)]).toEqual([...counting(8), ...counting(4)])
    expect([...(valuesOf(made, 'y') as Uint8Array)]).toEqual([0, 1, 0, 1, 1, 1])
    expect(made.splits.map(({ split, rowsPath, report }) => [split, rowsIn(rowsPath), report.classCounts, report.duplicates])).toEqual([
      ['train', [0, 1, 2, 3], { 0: 2, 1: 2 }, 0],
      ['test', [4, 5], { 1: 2 }, 0],
    ])
    // The test samples are the first of the training samples.
    expect(made.report).toMatchObject({ samples: 6, duplicates: 2 })
    expect(made.report.notes).toEqual(['The arrays x_train, y_train, x_test, y_test are joined; the parts are kept as splits.'])
    expect(folder.leftovers()).toHaveLength(5)
  })

  test.each<[string, NumericArray[]]>([
    ['of another shape', [array('x_train', 'uint8', counting(8), [4, 2]), array('x_test', 'uint8', counting(3), [1, 3])]],
    ['one part alone', [array('x_train', 'uint8', counting(8), [4, 2])]],
    [
      'with another array',
      [array('x_train', 'uint8', counting(8), [4, 2]), array('x_test', 'uint8', counting(8), [4, 2]), array('mean', 'uint8', [1])],
    ],
  ])('is not joined with parts %s', async (_, arrays) => {
    const made = await folder.import(npz(arrays))
    expect(made.splits).toEqual([])
    expect(made.report.arrays.map(({ name }) => name)).toEqual(arrays.map(({ name }) => name))
  })

  test('text is left out and told, labels of text are refused', async () => {
    const text = readFileSync(join(fixtures, 'text.npy'))
    const made = await folder.import(folder.file('t.npz', zipSync({ 'x.npy': writeNpy(samples), 'names.npy': text })))
    expect(made.report.notes).toEqual(['Array "names" of t.npz is left out: it holds text.'])
    await expect(folder.import(folder.file('t.npz', zipSync({ 'x.npy': writeNpy(samples), 'labels.npy': text })))).rejects.toMatchObject({
      code: 'DATASET_LABELS',
      message: expect.stringMatching(/hold text, expected class indices/),
    })
  })

  test('y of floating point numbers is classes where it looks like them', async () => {
    const classes = await folder.import(npz([samples, array('y', 'float64', [2, 0, 2])]))
    expect(classes.report).toMatchObject({ labelled: true, classCounts: { 0: 1, 2: 2 }, targets: null })
    expect(classes.report.notes[0]).toMatch(/Array "y" is taken as class labels: 2 different whole numbers/)
    const oneHot = await folder.import(npz([samples, array('y', 'float32', [0, 1, 1, 0, 0, 1], [3, 2])]))
    expect(oneHot.report).toMatchObject({ classCounts: { 0: 1, 1: 2 } })
    for (const [name, values] of [
      ['y', [0.5, 1, 2]],
      ['y', [-1, 1, 1]],
      ['targets', [1, 2, 3]],
    ] as const) {
      const made = await folder.import(npz([samples, array(name, 'float32', values)]))
      expect(made.report).toMatchObject({ labelled: false, targets: { width: 1, max: Math.max(...values) } })
    }
  })
})

describe('an .npz is refused', () => {
  test.each<[string, NumericArray[], string, RegExp]>([
    ['without arrays', [], 'DATASET_EMPTY', /data\.npz has no array of samples/],
    ['with labels alone', [labels], 'DATASET_EMPTY', /no array of samples/],
    ['without samples', [array('x', 'float32', [], [0, 3])], 'DATASET_EMPTY', /data\.npz holds no sample/],
    [
      'with labels for others',
      [samples, array('y', 'int64', [1])],
      'DATASET_LABELS',
      /"y" of data\.npz has 1 labels, but there are 3 samples/,
    ],
    ['with a negative label', [samples, array('labels', 'int64', [0, -1, 0])], 'DATASET_LABELS', /negative label -1 in row 1/],
    [
      'with NaN',
      [array('x', 'float32', [0, 0, 0, 0, 0, Number.NaN, 0, 0], [2, 2, 2])],
      'DATASET_INVALID',
      /"x" of data\.npz holds NaN in sample 1 \(element 1\)/,
    ],
  ])('%s', async (_, arrays, code, message) => {
    await expect(folder.import(npz(arrays))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('when it is cut off, changed, or an archive of something else', async () => {
    const whole = readFileSync(npz([samples, labels]))
    await expect(folder.import(folder.file('cut.npz', whole.subarray(0, whole.length - 30)))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/^cut\.npz cannot be read/),
    })
    const stored = writeNpz([samples], { compress: false })
    const changed = stored.slice()
    changed[160] = (changed[160] as number) ^ 1
    await expect(folder.import(folder.file('changed.npz', changed))).rejects.toMatchObject({
      message: expect.stringMatching(/checksum|cannot be read/),
    })
    await expect(folder.import(folder.file('photos.zip', zipSync({ 'a.jpg': new Uint8Array(9) })))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/is a zip archive without arrays/),
    })
  })

  test('when it announces more than it holds, or than fits on the disk, before anything is unpacked', async () => {
    // A header of 2^40 zeros in front of a megabyte of them: neither size nor ratio can be true.
    const header = writeNpy(array('x', 'uint8', counting(200), [200]))
    const large = Buffer.from(
      Buffer.from(header)
        .toString('latin1')
        .replace('(200,)', '(1099511627776,)')
        .replace(/ {10}\n/, '\n'),
      'latin1',
    )
    await expect(folder.import(folder.file('bomb.npz', zipSync({ 'x.npy': large })))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(/need 1099511627776 bytes, found/),
    })
    expect(folder.leftovers()).toEqual([])
  })
})

test('what does not fit on the disk is refused before it fills it', async () => {
  await requireRoom(folder.path, 1000, 'small.npz')
  await expect(requireRoom(folder.path, 2 ** 50, 'bomb.npz')).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: expect.stringMatching(/^bomb\.npz unpacks to 1125899906842624 bytes/),
  })
})

test('any changed bytes of an .npz give a dataset or a coded error, and never more files than arrays', async () => {
  const whole = writeNpz([samples, labels])
  const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = whole.slice()
      for (const [place, value] of changes) bytes[place] = value
      try {
        await folder.import(folder.file('fuzz.npz', bytes))
      } catch (error) {
        expect(toErrorReport(error)).toMatchObject({ code: expect.stringMatching(/^(?:DATASET_|TOO_LARGE|NO_SPACE)/) })
      }
    }),
    { numRuns: 150 },
  )
})

describe('an .npy', () => {
  test('of samples, and one of labels', async () => {
    const path = folder.file('digits.npy', writeNpy(samples))
    expect(await folder.import(path)).toMatchObject({
      format: 'npy',
      report: { samples: 3, arrays: [{ name: 'digits' }], labelled: false },
    })
    const labelled = await folder.import(path, { labelsPath: folder.file('which.npy', writeNpy(labels)) })
    expect(labelled.report).toMatchObject({ classCounts: { 0: 1, 2: 2 } })
    const valued = await folder.import(path, { labelsPath: folder.file('values.npy', writeNpy(array('v', 'float32', [0.5, 1, 2]))) })
    expect(valued.report).toMatchObject({ labelled: false, targets: { width: 1, min: 0.5, max: 2 } })
    expect((await folder.import(folder.file('y.npy', writeNpy(samples)))).report.arrays[0]?.name).toBe('x')
  })

  test('is refused when it is cut off or no numbers', async () => {
    await expect(folder.import(folder.file('cut.npy', writeNpy(samples).subarray(0, 140)))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
    })
    await expect(folder.import(join(fixtures, 'text.npy'))).rejects.toMatchObject({ code: 'DATASET_TYPE' })
  })
})

const be32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
const idx = (type: number, dims: number[], body: readonly number[]) =>
  Uint8Array.from([0, 0, type, dims.length, ...dims.flatMap(be32), ...body])

describe('what has no values, or too many samples', () => {
  test('an array without values beside others is kept, and says nothing', async () => {
    const made = await folder.import(npz([samples, array('nothing', 'float32', [], [3, 0, 2])], 'hollow.npz'))
    expect(made.report).toMatchObject({ samples: 3, duplicates: 0 })
    expect(made.report.statistics.map((entry) => entry.array)).toEqual(['x'])
  })

  test('samples without values are refused', async () => {
    await expect(folder.import(npz([array('x', 'float32', [], [3, 0, 2])], 'empty.npz'))).rejects.toMatchObject({ code: 'DATASET_EMPTY' })
  })

  test('more samples than rows are numbered are refused before memory is taken for each', async () => {
    const count = 50_000_001
    const path = folder.file('many.npy', npyHeader('uint8', [count]))
    truncateSync(path, npyHeader('uint8', [count]).length + count)
    await expect(folder.import(path)).rejects.toMatchObject({ code: 'TOO_LARGE', message: expect.stringMatching(/has 50000001 samples/) })
  })
})

describe('IDX files', () => {
  const images = idx(8, [3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])

  test('are unpacked, scaled, and find their labels', async () => {
    for (const [packed, ending] of [
      [images, ''],
      [gzipSync(images), '.gz'],
    ] as const) {
      const path = folder.file(`idx${ending}/train-images-idx3-ubyte${ending}`, packed)
      folder.file(`idx${ending}/train-labels-idx1-ubyte`, idx(8, [3], [7, 0, 7]))
      const made = await folder.import(path)
      expect([...(valuesOf(made, 'images') as Uint8Array)]).toEqual([0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8])
      expect(made).toMatchObject({ format: 'idx', preprocessing: { scale: 1 / 255 }, report: { samples: 3, classCounts: { 0: 1, 7: 2 } } })
    }
  })

  test('keep a description that is given, an empty one as well', async () => {
    const path = folder.file('digits.idx', images)
    expect((await folder.import(path, { preprocessing: {} })).preprocessing).toEqual({})
    expect((await folder.import(path, { preprocessing: { scale: 2 } })).preprocessing).toEqual({ scale: 2 })
  })

  test('of wider numbers are turned round', async () => {
    const made = await folder.import(folder.file('wide.idx', gzipSync(idx(0x0c, [2], [0, 0, 1, 0, 255, 255, 255, 254]))))
    expect([...(valuesOf(made, 'images') as Int32Array)]).toEqual([256, -2])
    expect(made.preprocessing).toEqual({})
  })

  test.each<[string, Uint8Array, RegExp]>([
    [
      'too short',
      images.subarray(0, 20),
      /^bad\.idx cannot be read: its shape \[3,2,2\] and type uint8 need 12 bytes, found 4 \(at byte 16\)/,
    ],
    ['too long', Uint8Array.from([...images, 1]), /need 12 bytes, found 13/],
    ['gzipped and cut off', gzipSync(images).subarray(0, 25), /bad\.idx cannot be read as gzip: it is truncated or damaged/],
    ['gzipped and something else', gzipSync(Buffer.from('hello, this is text')), /does not begin like an IDX file/],
    ['a header alone', images.subarray(0, 6), /it ends in its header after 6 bytes/],
    ['gzipped and announcing more than it holds', gzipSync(idx(8, [60_000, 28, 28], [1, 2])), /need 47040000 bytes, found fewer/],
  ])('%s are refused', async (_, bytes, message) => {
    await expect(folder.import(folder.file('bad.idx', bytes))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(message),
    })
    expect(folder.leftovers()).toEqual([])
  })
})
