import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFashionMnist, selectImages, stratifiedIndices } from '../../scripts/training/fashion-mnist.ts'
import { encodeNpz } from '../../scripts/training/npz.ts'

const IMAGES = 't10k-images-idx3-ubyte.gz'
const LABELS = 't10k-labels-idx1-ubyte.gz'
const COUNT = 30

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-training-'))
  write(IMAGES, imagesFile(COUNT))
  write(LABELS, labelsFile(COUNT))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, content: Uint8Array): void {
  writeFileSync(join(folder, name), gzipSync(content))
}

function idx(magic: number, dims: readonly number[], values: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dims.length)
  header.writeUInt32BE(magic)
  for (const [index, dim] of dims.entries()) header.writeUInt32BE(dim, 4 + 4 * index)
  return Buffer.concat([header, values])
}

/** Image i is filled with i. */
function imagesFile(count: number): Uint8Array {
  return idx(
    0x803,
    [count, 28, 28],
    Uint8Array.from({ length: count * 784 }, (_, index) => Math.floor(index / 784)),
  )
}

/** Labels 0, 0, 1, 1, … 9, 9, 0, 0, … */
function labelsFile(count: number): Uint8Array {
  return idx(
    0x801,
    [count],
    Uint8Array.from({ length: count }, (_, index) => Math.floor(index / 2) % 10),
  )
}

describe('reading Fashion-MNIST', () => {
  test('images and labels', () => {
    const images = readFashionMnist('test', folder)
    expect(images.count).toBe(COUNT)
    expect(images.pixels.length).toBe(COUNT * 784)
    expect(images.pixels[784 * 7 + 5]).toBe(7)
    expect([...images.labels.subarray(0, 4)]).toEqual([0, 0, 1, 1])
    expect(images.sources.map(({ sha256 }) => sha256.length)).toEqual([64, 64])
  })

  test('a missing file names the Debian package', () => {
    expect(() => readFashionMnist('train', folder)).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_FOUND', hint: expect.stringContaining('apt-get install dataset-fashion-mnist') }),
    )
  })

  const broken: [string, string, () => Uint8Array, string][] = [
    ['labels given as images', IMAGES, () => labelsFile(COUNT), 'magic'],
    ['another image size', IMAGES, () => idx(0x803, [COUNT, 28, 27], new Uint8Array(COUNT * 28 * 27)), '28 as dimension 3, found 27'],
    ['a truncated array', IMAGES, () => imagesFile(COUNT).subarray(0, -1), 'bytes of images, found'],
    ['bytes behind the array', LABELS, () => Buffer.concat([labelsFile(COUNT), Buffer.from([1])]), 'bytes of labels, found'],
    ['a header cut short', LABELS, () => labelsFile(COUNT).subarray(0, 6), 'an IDX header of 8 bytes'],
    ['no image', IMAGES, () => imagesFile(0), '1 to 100000 images, found 0'],
    ['a count beyond the limit', LABELS, () => idx(0x801, [0xffffffff], new Uint8Array(5)), '1 to 100000 labels, found 4294967295'],
    ['fewer labels than images', LABELS, () => labelsFile(COUNT - 1), '30 images'],
  ]
  test.each(broken)('%s: refused', (_, file, content, message) => {
    write(file, content())
    expect(() => readFashionMnist('test', folder)).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringContaining(message) }),
    )
  })

  test('a label above 9: refused with its row', () => {
    write(LABELS, idx(0x801, [COUNT], new Uint8Array(COUNT).with(12, 10)))
    expect(() => readFashionMnist('test', folder)).toThrow(
      expect.objectContaining({ code: 'DATASET_LABELS', message: expect.stringContaining('label 10 at row 12') }),
    )
  })

  test('not gzip, and gzip that grows without end: refused', () => {
    writeFileSync(join(folder, LABELS), 'plain text')
    expect(() => readFashionMnist('test', folder)).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }))
    write(LABELS, new Uint8Array(200_000))
    expect(() => readFashionMnist('test', folder)).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }))
  })
})

describe('samples', () => {
  test('the first images of each class, in file order, the lowest labels getting what does not divide', () => {
    const images = readFashionMnist('test', folder)
    expect(stratifiedIndices(images.labels, 12)).toEqual([0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18])
    expect(() => stratifiedIndices(images.labels, 30)).toThrow('only 25 of 30 images')
    const chosen = selectImages(images, [3, 29])
    expect([...chosen.labels]).toEqual([1, 4])
    expect(chosen.pixels[784]).toBe(29)
  })

  test('an .npz is a zip of .npy files that start with a 64-byte aligned header', () => {
    const input = { shape: [2, 1, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }
    const labels = { shape: [2], values: BigInt64Array.of(7n, 8n) }
    const members = unzipSync(encodeNpz({ input, labels }))
    expect(Object.keys(members)).toEqual(['input.npy', 'labels.npy'])
    const text = Buffer.from(members['labels.npy'] as Uint8Array).toString('latin1')
    const header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"
    expect(text.slice(0, 10)).toBe('\x93NUMPY\x01\x00\x76\x00')
    expect(text.slice(10, 128)).toBe(`${header.padEnd(117)}\n`)
    expect(new BigInt64Array((members['labels.npy'] as Uint8Array).slice(128).buffer)).toEqual(labels.values)
    expect(new Float32Array((members['input.npy'] as Uint8Array).slice(128).buffer)).toEqual(input.values)
  })

  test('the same arrays give the same bytes', () => {
    const arrays = { input: { shape: [1], values: Float32Array.of(1) } }
    expect(encodeNpz(arrays)).toEqual(encodeNpz(arrays))
  })
})
