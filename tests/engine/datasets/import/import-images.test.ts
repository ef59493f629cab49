import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EdgesmithError, toErrorReport } from '../../../../src/contract/errors.ts'
import { OriginalsWriter, openOriginals } from '../../../../src/engine/datasets/import/originals.ts'
import { ImportFolder, rowsIn, valuesOf } from './import-folder.ts'
import '../../../fuzz-seed.ts'

const folder = new ImportFolder()
afterAll(() => folder.remove())
const fixture = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, '../../images/fixtures', name)))

/** A picture of one colour, as a file of that kind. */
async function plain(width: number, height: number, [r, g, b]: readonly [number, number, number], kind: 'png' | 'jpeg' | 'webp' = 'png') {
  return new Uint8Array(
    await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
      .toFormat(kind)
      .toBuffer(),
  )
}
let red: Uint8Array
let green: Uint8Array
let blue: Uint8Array
beforeAll(async () => {
  red = await plain(4, 3, [255, 0, 0])
  green = await plain(4, 3, [0, 255, 0])
  blue = await plain(4, 3, [0, 0, 255])
})

describe('a folder of images', () => {
  test('becomes pixels, labels and the files themselves', async () => {
    folder.file('pets/dog/b.png', blue)
    folder.file('pets/dog/a.webp', await plain(4, 3, [0, 255, 0], 'webp'))
    folder.file('pets/cat/z.png', red)
    folder.file('pets/.DS_Store', 'x')
    const made = await folder.import(join(folder.path, 'pets'))
    expect(made).toMatchObject({
      format: 'images',
      classNames: ['cat', 'dog'],
      preprocessing: { image: { width: 4, height: 3, resize: 'stretch', filter: 'linear', colour: 'rgb', pad: [0, 0, 0] } },
      report: {
        samples: 3,
        arrays: [
          { name: 'images', type: 'uint8', shape: [3, 3, 4, 3] },
          { name: 'labels', type: 'int32', shape: [3] },
        ],
        classCounts: { 0: 1, 1: 2 },
      },
    })
    expect([...valuesOf(made, 'labels')]).toEqual([0, 1, 1])
    const pixels = valuesOf(made, 'images') as Uint8Array
    expect([0, 36, 72].map((at) => [...pixels.subarray(at, at + 3)].map((value) => Math.round(value / 255)))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
    const archive = made.files.find(({ role }) => role === 'originals')?.path as string
    expect(Object.keys(unzipSync(readFileSync(archive)))).toEqual(['cat/z.png', 'dog/a.webp', 'dog/b.png'])
    const originals = openOriginals(archive, 'pets')
    expect(originals.read(2)).toEqual({ name: 'dog/b.png', bytes: blue })
    expect(() => originals.read(3)).toThrow(RangeError)
    originals.close()
  })

  test('with folders called train and test comes in splits', async () => {
    folder.file('parted/train/cat/1.png', red)
    folder.file('parted/train/dog/1.png', blue)
    folder.file('parted/test/dog/1.png', blue)
    folder.file('parted/valid/emu/1.png', green)
    const made = await folder.import(join(folder.path, 'parted'))
    expect(made.classNames).toEqual(['cat', 'dog', 'emu'])
    expect(made.splits.map(({ split, rowsPath, report }) => [split, rowsIn(rowsPath), report.classCounts])).toEqual([
      ['test', [0], { 1: 1 }],
      ['train', [1, 2], { 0: 1, 1: 1 }],
      ['val', [3], { 2: 1 }],
    ])
    expect(made.report.duplicates).toBe(1)
  })

  test('without sub-folders has no labels', async () => {
    folder.file('loose/1.png', red)
    folder.file('loose/2.png', blue)
    const made = await folder.import(join(folder.path, 'loose'))
    expect(made).toMatchObject({ classNames: null, report: { samples: 2, labelled: false, classCounts: null } })
  })

  test('of different sizes is cut to what networks take, of grey ones stays grey', async () => {
    folder.file('mixed/a/1.png', red)
    folder.file('mixed/a/2.png', await plain(9, 9, [9, 9, 9]))
    expect((await folder.import(join(folder.path, 'mixed'))).preprocessing.image).toMatchObject({
      width: 224,
      height: 224,
      resize: 'cover',
    })
    folder.file('grey/a/1.png', fixture('grey.png'))
    const made = await folder.import(join(folder.path, 'grey'))
    expect(made.preprocessing.image).toMatchObject({ width: 47, height: 30, colour: 'grey' })
    expect(made.report.arrays[0]?.shape).toEqual([1, 30, 47, 1])
  })

  test('takes a given geometry and keeps the rest of the description', async () => {
    const preprocessing = {
      image: { width: 2, height: 2, resize: 'stretch', filter: 'nearest', colour: 'grey', pad: [0, 0, 0] },
      scale: 0.5,
    } as const
    const made = await folder.import(join(folder.path, 'pets'), {
      preprocessing: { ...preprocessing, image: { ...preprocessing.image, pad: [0, 0, 0] } },
    })
    expect(made.preprocessing).toEqual(preprocessing)
    // Luma of red, green and blue: 76, 150 (WebP may be off by one), 29.
    expect([...(valuesOf(made, 'images') as Uint8Array)].filter((_, index) => index % 4 === 0)).toEqual([76, expect.closeTo(150, -1), 29])
  })

  test('takes its labels from a list of classes', async () => {
    const made = await folder.import(join(folder.path, 'pets'), { classes: { dog: 0, cat: 2 } })
    expect([...valuesOf(made, 'labels')]).toEqual([2, 0, 0])
    expect(made.classNames).toEqual(['dog', 'class 1', 'cat'])
    await expect(folder.import(join(folder.path, 'pets'), { classes: { dog: 0 } })).rejects.toMatchObject({
      code: 'DATASET_LABELS',
      message: expect.stringMatching(/has no index for the folder "cat"/),
    })
  })

  test('names files that are left out', async () => {
    folder.file('notes/a/1.png', red)
    folder.file('notes/a/readme.txt', 'x')
    folder.file('notes/stray.png', red)
    const made = await folder.import(join(folder.path, 'notes'))
    expect(made.report).toMatchObject({ samples: 1 })
    expect(made.report.notes[0]).toMatch(/^2 files are left out/)
    folder.file('parts/train/a/1.png', red)
    folder.file('parts/test/a/1.png', red)
    folder.file('parts/test/stray.png', red)
    const divided = await folder.import(join(folder.path, 'parts'))
    expect(divided.report.samples).toBe(2)
    expect(divided.report.notes[0]).toMatch(/^1 file is left out, .* or in no class folder: "test\/stray\.png"/)
  })

  test('looks into folders within class folders', async () => {
    folder.file('deep/cat/2019/x.png', red)
    folder.file('deep/cat/y.png', blue)
    expect((await folder.import(join(folder.path, 'deep'))).report.classCounts).toEqual({ 0: 2 })
  })

  test('follows links to files below it, and none out of it or to folders', async () => {
    folder.file('secret/private.png', green)
    folder.file('linked/a/1.png', red)
    symlinkSync(join(folder.path, 'linked/a/1.png'), join(folder.path, 'linked/a/2.png'))
    symlinkSync(join(folder.path, 'secret/private.png'), join(folder.path, 'linked/a/3.png'))
    symlinkSync(join(folder.path, 'secret'), join(folder.path, 'linked/b'))
    symlinkSync(join(folder.path, 'linked'), join(folder.path, 'linked/a/loop'))
    const made = await folder.import(join(folder.path, 'linked'))
    expect(made).toMatchObject({ classNames: ['a'], report: { samples: 2 } })
    expect(made.report.notes[0]).toBe('3 files are left out, symbolic links to folders or to places outside: "a/3.png", "a/loop", "b".')
    folder.file('plain/1.png', red)
    symlinkSync(join(folder.path, 'plain/1.png'), join(folder.path, 'plain/2.png'))
    symlinkSync(join(folder.path, 'secret/private.png'), join(folder.path, 'plain/3.png'))
    const plain = await folder.import(join(folder.path, 'plain'))
    expect(plain.report.samples).toBe(2)
    expect(plain.report.notes[0]).toBe('1 file is left out, symbolic links to folders or to places outside: "3.png".')
  })
})

describe('a folder of images is refused', () => {
  test.each<[string, () => Promise<void> | void, string, RegExp]>([
    ['empty', () => void mkdirSync(join(folder.path, 'empty')), 'DATASET_EMPTY', /empty holds no image/],
    ['other', () => void folder.file('other/a/1.tiff', 'x'), 'DATASET_EMPTY', /other holds no image \(it has "a\/1\.tiff"\)/],
    [
      'broken',
      () => void folder.file('broken/cat/1.jpg', 'no image'),
      'IMAGE_UNREADABLE',
      /^cat\/1\.jpg cannot be read: expected a JPEG, PNG, WebP or BMP/,
    ],
    [
      'cut',
      () => void folder.file('cut/cat/1.png', fixture('colour.png').subarray(0, 300)),
      'IMAGE_UNREADABLE',
      /^cat\/1\.png cannot be read/,
    ],
    [
      'half',
      () => {
        folder.file('half/train/1.png', red)
        folder.file('half/test/cat/1.png', red)
      },
      'DATASET_LABELS',
      /"train\/1\.png" of half lies in no class folder, and others do/,
    ],
  ])('%s', async (name, make, code, message) => {
    await make()
    await expect(folder.import(join(folder.path, name))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(folder.leftovers()).toEqual([])
  })

  test('with an image of more pixels than can be held', async () => {
    const bomb = fixture('colour-24.bmp')
    new DataView(bomb.buffer).setInt32(18, 60_000, true)
    new DataView(bomb.buffer).setInt32(22, 60_000, true)
    folder.file('bomb/a/1.bmp', bomb)
    await expect(folder.import(join(folder.path, 'bomb'))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: 'a/1.bmp has 60000 × 60000 pixels, at most 110000000 are read.',
    })
  })
})

test('any names and contents of files give a dataset or a coded error', async () => {
  const name = fc.stringMatching(/^[a-z]{1,3}$/)
  const content = fc.constantFrom('red', 'blue', 'text', 'cut', 'empty')
  const entry = fc.tuple(fc.array(name, { minLength: 0, maxLength: 3 }), name, fc.constantFrom('.png', '.jpg', '.txt', ''), content)
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 5 }), async (entries) => {
      const root = `fuzz-${runs++}`
      mkdirSync(join(folder.path, root))
      for (const [folders, file, ending, what] of entries) {
        const bytes = { red, blue, text: Buffer.from('text'), cut: red.subarray(0, 40), empty: new Uint8Array() }[what] as Uint8Array
        try {
          folder.file([root, ...folders, `${file}${ending}`].join('/'), bytes)
        } catch {
          // A file stands where a folder is wanted, or the other way round.
        }
      }
      try {
        const made = await folder.import(join(folder.path, root))
        expect(made.report.arrays[0]?.shape[0]).toBe(made.report.samples)
      } catch (error) {
        expect(error).toBeInstanceOf(EdgesmithError)
        expect(toErrorReport(error).code).toMatch(/^(?:DATASET_EMPTY|DATASET_LABELS|IMAGE_UNREADABLE)$/)
      }
    }),
    { numRuns: 60 },
  )
})

test('an archive of images that was changed is refused', () => {
  const path = join(folder.path, 'archive.zip')
  const writer = new OriginalsWriter(path)
  writer.add('a.png', red)
  writer.add('ä/b.png', blue)
  writer.finish()
  expect(Object.keys(unzipSync(readFileSync(path)))).toEqual(['a.png', 'ä/b.png'])
  const bytes = new Uint8Array(readFileSync(path))
  fc.assert(
    fc.property(fc.integer({ min: bytes.length - 220, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }), (place, value) => {
      const changed = bytes.slice()
      changed[place] = value
      try {
        const originals = openOriginals(folder.file('changed.zip', changed), 'pets')
        try {
          for (let index = 0; index < originals.count; index++) originals.read(index)
        } finally {
          originals.close()
        }
      } catch (error) {
        expect(error).toMatchObject({ code: 'DATASET_INVALID' })
      }
    }),
    { numRuns: 300 },
  )
})
