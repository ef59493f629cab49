import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { deflateSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { crc32 } from '../../../src/core/datasets/crc32.ts'
import { InflateError, inflateExactly, inflateStart } from '../../../src/core/datasets/inflate.ts'
import { parseNpz } from '../../../src/core/datasets/npz.ts'
import { readElements } from '../../../src/core/datasets/numeric-array.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import { array, counting } from './arrays.ts'

const fixture = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)))
const sample = [array('x', 'float32', counting(12), [3, 2, 2]), array('labels', 'int64', [2, 0, 1])]
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]

describe('archives made by NumPy', () => {
  // numpy.savez writes zip64 local headers, savez_compressed deflates; fixtures/make-fixtures.py has the commands.
  test.each(['stored.npz', 'deflated.npz'])('%s', (name) => {
    const [images, labels] = parseNpz(fixture(name), name).map((entry) => entry.read())
    expect(images).toMatchObject({ name: 'images', type: 'float32', shape: [2, 2, 2] })
    expect([...(readElements(images!, 0, 8) as Float32Array)]).toEqual(counting(8))
    expect(labels).toMatchObject({ name: 'labels', type: 'int64', shape: [2] })
    expect([...(readElements(labels!, 0, 2) as BigInt64Array)]).toEqual([1n, 0n])
  })

  test('stored arrays stay views into the file', () => {
    const bytes = fixture('stored.npz')
    expect(parseNpz(bytes, 'x')[0]!.read().bytes.buffer).toBe(bytes.buffer)
  })
})

describe('our own archives', () => {
  test.each([true, false])('compressed %s: come back', (compress) => {
    expect(parseNpz(writeNpz(sample, { compress }), 'data.npz').map((entry) => entry.read())).toEqual(sample)
  })

  test('the same arrays give the same bytes', () => {
    expect(writeNpz(sample)).toEqual(writeNpz(sample))
  })

  test('other files in the archive are left alone', () => {
    const bytes = writeNpz([array('x', 'uint8', [1])])
    const renamed = Uint8Array.from(Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('x.npy', 'x.txt'), 'latin1'))
    expect(parseNpz(renamed, 'data.npz')).toEqual([])
  })
})

/** An archive whose fields were changed: `at` counts from the central directory's first entry. */
function patched(bytes: Uint8Array, at: number, values: readonly number[], signature = 0x02014b50): Uint8Array {
  const copy = bytes.slice()
  const place = Buffer.from(copy).indexOf(Buffer.from(u32(signature)))
  copy.set(values, place + at)
  return copy
}

describe('damaged and hostile archives', () => {
  const stored = writeNpz(sample, { compress: false })
  const deflated = writeNpz(sample)
  const readAll = (bytes: Uint8Array) => parseNpz(bytes, 'data.npz').map((entry) => entry.read())

  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /no end record/],
    ['no zip at all', new TextEncoder().encode('hello '.repeat(10)), /no end record/],
    ['an encrypted entry', patched(deflated, 8, [1, 8]), /"x\.npy" is encrypted/],
    ['an unknown compression', patched(deflated, 10, [99, 0]), /compressed by method 99/],
    ['a wrong checksum', patched(deflated, 16, [1, 2, 3, 4]), /Array "x" of data\.npz cannot be read: its checksum/],
    ['a wrong checksum, stored', patched(stored, 16, [1, 2, 3, 4]), /checksum/],
    ['sizes that contradict each other', patched(stored, 24, u32(999)), /contradict/],
    ['an impossible ratio', patched(deflated, 24, u32(500_000_000)), /which DEFLATE cannot do/],
    ['a size that its array does not have', patched(deflated, 24, u32(1000)), /need 48 bytes, found 872/],
    ['a local header elsewhere', patched(deflated, 42, u32(5)), /not where the directory says/],
    ['data beyond the file', patched(deflated, 20, u32(100_000)), /ends after \d+ bytes/],
    ['a directory beyond the file', patched(deflated, 16, u32(1_000_000), 0x06054b50), /ends after/],
    ['a directory of something else', patched(deflated, 16, u32(3), 0x06054b50), /directory is damaged/],
    ['more entries than there are', patched(deflated, 10, [9, 0], 0x06054b50), /directory is damaged/],
    ['a missing zip64 record', patched(deflated, 16, u32(0xffffffff), 0x06054b50), /zip64 end record is missing/],
    ['a missing zip64 size', patched(deflated, 24, u32(0xffffffff)), /lacks a zip64 size/],
  ])('%s', (_, bytes, message) => {
    expect(() => readAll(bytes)).toThrow(expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(message) }))
  })

  test('entries that share their bytes are refused', () => {
    const bytes = deflated.slice()
    const first = Buffer.from(bytes).indexOf(Buffer.from(u32(0x02014b50)))
    const second = Buffer.from(bytes).indexOf(Buffer.from(u32(0x02014b50)), first + 4)
    bytes.set(bytes.subarray(first + 42, first + 46), second + 42)
    expect(() => readAll(bytes)).toThrow(/lie over each other/)
  })

  test('an array twice is refused', () => {
    expect(() => readAll(writeNpz([sample[0]!, sample[0]!]))).toThrow(/"x\.npy" twice/)
  })

  test('too many arrays are refused', () => {
    const many = Array.from({ length: 1001 }, (_, index) => array(`x${index}`, 'uint8', [1]))
    expect(() => readAll(writeNpz(many, { compress: false }))).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })

  test('more bytes than the limit are refused before anything is unpacked', () => {
    const huge = Array.from({ length: 3 }, (_, index) => array(`x${index}`, 'uint8', new Array(1_000_000).fill(0)))
    const bytes = writeNpz(huge)
    let at = 0
    for (let index = 0; index < 3; index++) {
      at = Buffer.from(bytes).indexOf(Buffer.from(u32(0x02014b50)), at + 4)
      // 0.9 GB each, and enough compressed bytes claimed for it.
      bytes.set(u32(900_000_000), at + 24)
    }
    expect(() => readAll(bytes)).toThrow(expect.objectContaining({ code: expect.stringMatching(/TOO_LARGE|DATASET_INVALID/) }))
  })

  test('an archive cut anywhere is refused', () => {
    for (let length = 0; length < deflated.length; length += 3) {
      expect(() => readAll(deflated.subarray(0, length))).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }))
    }
  })

  test('any changed bytes give arrays or a coded error', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(stored, deflated),
        fc.array(fc.record({ at: fc.nat(400), to: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
        (original, changes) => {
          const bytes = original.slice()
          for (const { at, to } of changes) bytes[at] = to
          try {
            readAll(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(CoreError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** The archive with one entry, sizes and place written as zip64 does for large files. */
function asZip64(bytes: Uint8Array): Uint8Array {
  const u64 = (value: number) => [...u32(value), 0, 0, 0, 0]
  const view = new DataView(bytes.buffer)
  const directory = view.getUint32(bytes.length - 22 + 16, true)
  const [packed, size] = [view.getUint32(directory + 20, true), view.getUint32(directory + 24, true)]
  const nameLength = view.getUint16(directory + 28, true)
  const entry = [...bytes.subarray(directory, directory + 46 + nameLength)]
  entry.splice(20, 8, 255, 255, 255, 255, 255, 255, 255, 255)
  entry.splice(30, 2, 28, 0)
  entry.splice(42, 4, 255, 255, 255, 255)
  const extra = [1, 0, 24, 0, ...u64(size), ...u64(packed), ...u64(0)]
  const end64 = directory + entry.length + extra.length
  const record = [
    ...u32(0x06064b50),
    ...u64(44),
    45,
    0,
    45,
    0,
    ...u32(0),
    ...u32(0),
    ...u64(1),
    ...u64(1),
    ...u64(entry.length + extra.length),
    ...u64(directory),
  ]
  const locator = [...u32(0x07064b50), ...u32(0), ...u64(end64), ...u32(1)]
  const end = [...u32(0x06054b50), 0, 0, 0, 0, 255, 255, 255, 255, ...u32(0xffffffff), ...u32(0xffffffff), 0, 0]
  return Uint8Array.from([...bytes.subarray(0, directory), ...entry, ...extra, ...record, ...locator, ...end])
}

test('zip64, as for large files', () => {
  const bytes = asZip64(writeNpz([sample[0]!]))
  expect(parseNpz(bytes, 'data.npz').map((entry) => entry.read())).toEqual([sample[0]])
  bytes[bytes.length - 22 - 20 + 8] = 1
  expect(() => parseNpz(bytes, 'data.npz')).toThrow(/zip64 end record is damaged/)
})

describe('inflating', () => {
  const text = new TextEncoder().encode('a sentence that repeats itself, '.repeat(20_000))
  const packed = deflateSync(text)

  test('gives exactly what was announced', () => {
    expect(Buffer.from(inflateExactly(packed, text.length)).equals(text)).toBe(true)
    expect(inflateStart(packed, 100)).toEqual(text.subarray(0, 100))
    expect(inflateExactly(deflateSync(new Uint8Array(0)), 0)).toHaveLength(0)
  })

  test('stops at more than was announced', () => {
    expect(() => inflateExactly(packed, text.length - 1)).toThrow(/more than the \d+ bytes/)
  })

  test('a bomb stops at the announced size', () => {
    const bomb = deflateRawSync(new Uint8Array(30_000_000))
    expect(bomb.length).toBeLessThan(40_000)
    expect(() => inflateExactly(bomb, 1000)).toThrow(InflateError)
  })

  test.each([
    ['less than announced', packed, text.length + 1],
    ['a cut stream', packed.subarray(0, packed.length >> 1), text.length],
    ['nothing', new Uint8Array(0), 5],
    ['no DEFLATE data', Uint8Array.of(255, 255, 255, 255), 5],
  ])('%s is an error', (_, bytes, size) => {
    expect(() => inflateExactly(bytes, size)).toThrow(InflateError)
    expect(() => inflateStart(bytes, size)).toThrow(InflateError)
  })
})

test('CRC-32 of the check string', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  expect(crc32(new Uint8Array(0))).toBe(0)
})
