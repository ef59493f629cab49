import fc from 'fast-check'
import { gzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { parseIdx } from '../../../src/core/datasets/idx.ts'
import { readElements } from '../../../src/core/datasets/numeric-array.ts'

const be32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
const idx = (type: number, dims: number[], body: number[]) => Uint8Array.from([0, 0, type, dims.length, ...dims.flatMap(be32), ...body])
const images = idx(8, [2, 2, 3], [...Array(12).keys()])

describe('IDX files', () => {
  test('images', () => {
    const array = parseIdx(images, 'images', 'x-idx3-ubyte')
    expect(array).toMatchObject({ name: 'images', type: 'uint8', shape: [2, 2, 3] })
    expect([...(readElements(array, 6, 3) as Uint8Array)]).toEqual([6, 7, 8])
    expect(array.bytes.buffer).toBe(images.buffer)
  })

  test.each<[string, number, number[], number[]]>([
    ['int8', 0x09, [255], [-1]],
    ['int16', 0x0b, [0xff, 0xfe], [-2]],
    ['int32', 0x0c, [0, 0, 1, 0], [256]],
    ['float32', 0x0d, [0x3f, 0xc0, 0, 0], [1.5]],
    ['float64', 0x0e, [0x40, 0x04, 0, 0, 0, 0, 0, 0], [2.5]],
  ])('%s is read big-endian', (type, code, body, values) => {
    const array = parseIdx(idx(code, [1], body), 'x', 'x')
    expect(array.type).toBe(type)
    expect(Array.from(readElements(array, 0, 1) as ArrayLike<number>)).toEqual(values)
  })

  test('gzipped, with and without a name in the header', () => {
    expect(parseIdx(gzipSync(images), 'images', 'x.gz').shape).toEqual([2, 2, 3])
    expect(parseIdx(gzipSync(images, { filename: 'x-idx3-ubyte' }), 'images', 'x.gz').shape).toEqual([2, 2, 3])
  })

  test('every optional part of a gzip header is skipped', () => {
    const plain = gzipSync(images)
    const flagged = Uint8Array.from([
      ...plain.subarray(0, 3),
      4 + 8 + 16 + 2,
      ...plain.subarray(4, 10),
      3,
      0,
      9,
      9,
      9,
      ...new TextEncoder().encode('name\0comment\0'),
      7,
      7,
      ...plain.subarray(10),
    ])
    expect(parseIdx(flagged, 'images', 'x.gz').shape).toEqual([2, 2, 3])
  })
})

describe('what is not a whole IDX file', () => {
  const zipped = gzipSync(
    idx(
      8,
      [100, 10],
      [...Array(1000).keys()].map((value) => (value * 37) % 251),
    ),
  )
  const spoilt = zipped.slice()
  spoilt[zipped.length - 8]! ^= 1
  const lying = zipped.slice()
  lying.set([0, 0, 0, 127], zipped.length - 4)

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /data cannot be read: it ends in its header after 0 bytes \(at byte 0\)/],
    ['another file', new TextEncoder().encode('hello'), /does not begin like an IDX/],
    ['an unknown type', idx(7, [1], [1]), /does not begin like an IDX/],
    ['no dimensions', idx(8, [], []), /0 dimensions/],
    ['a cut header', images.subarray(0, 9), /ends in its header after 9 bytes \(at byte 9\)/],
    ['too few values', images.subarray(0, 20), /shape \[2,2,3\] and type uint8 need 12 bytes, found 4 \(at byte 16\)/],
    ['too many values', Uint8Array.from([...images, 0]), /need 12 bytes, found 13/],
    ['terabytes announced', idx(8, [0xffffffff, 0xffffffff], []), /need 18446744065119617000 bytes, found 0/],
    ['a cut gzip file', zipped.subarray(0, zipped.length - 20), /gzip: .*(truncated|damaged)/],
    ['a gzip header alone', zipped.subarray(0, 12), /truncated \(12 bytes\)/],
    ['a wrong checksum', spoilt, /checksum/],
    ['a size that DEFLATE cannot reach', lying, /truncated, or its last bytes are damaged/],
  ])('%s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'images', 'data')).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test('gzip that announces another size than its header', () => {
    const bytes = zipped.slice()
    bytes.set([0, 16], zipped.length - 4)
    expect(() => parseIdx(bytes, 'images', 'data')).toThrow(/need 1000 bytes, found 4084/)
  })

  test('gzip that announces more than the limit', () => {
    const bytes = new Uint8Array(2_200_000)
    bytes.set(zipped.subarray(0, 40))
    bytes.set([0, 0, 0, 0, 0, 0, 0, 128], bytes.length - 8)
    expect(() => parseIdx(bytes, 'images', 'data')).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })

  test('a gzip file cut anywhere is refused', () => {
    for (let length = 0; length < zipped.length; length += 7) {
      expect(() => parseIdx(zipped.subarray(0, length), 'images', 'data')).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/DATASET_INVALID|TOO_LARGE/) }),
      )
    }
  })

  test('any bytes give an array or a coded error', () => {
    const start = fc.constantFrom([0, 0, 8, 1], [0x1f, 0x8b, 8, 0], [])
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 60 }), (head, rest) => {
        try {
          parseIdx(Uint8Array.from([...head, ...rest]), 'x', 'x')
        } catch (error) {
          expect(error).toBeInstanceOf(CoreError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
