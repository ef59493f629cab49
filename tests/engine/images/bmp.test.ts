import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import { decodeBmp } from '../../../src/engine/images/bmp.ts'
import '../../fuzz-seed.ts'

const fixture = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)))

/** A BMP of 32 bits with masks, 2 × 1: red and half-green. */
function masked(red: number, green: number, blue: number): Uint8Array {
  const bytes = new Uint8Array(14 + 52 + 8)
  const view = new DataView(bytes.buffer)
  bytes.set([0x42, 0x4d])
  view.setUint32(10, 66, true)
  view.setUint32(14, 52, true)
  view.setInt32(18, 2, true)
  view.setInt32(22, 1, true)
  view.setUint16(28, 32, true)
  view.setUint32(30, 3, true)
  ;[red, green, blue].forEach((mask, index) => {
    view.setUint32(54 + 4 * index, mask, true)
  })
  bytes.set([255, 0, 0, 9, 0, 128, 0, 9], 66)
  return bytes
}

test('masks say where the colours lie', () => {
  expect([...decodeBmp(masked(0xff, 0xff00, 0xff0000), 'a.bmp').rgb]).toEqual([255, 0, 0, 0, 128, 0])
  expect([...decodeBmp(masked(0xff0000, 0xff00, 0xff), 'a.bmp').rgb]).toEqual([0, 0, 255, 0, 128, 0])
})

describe('refused is', () => {
  const changed = (name: string, change: (view: DataView) => void) => {
    const bytes = fixture(name)
    change(new DataView(bytes.buffer))
    return bytes
  }
  test.each<[string, Uint8Array, RegExp]>([
    ['run-length compression', changed('palette-8.bmp', (view) => view.setUint32(30, 1, true)), /it is compressed \(RLE\)/],
    ['16 bits', changed('colour-24.bmp', (view) => view.setUint16(28, 16, true)), /it has 16 bits a pixel/],
    ['an embedded JPEG', changed('colour-24.bmp', (view) => view.setUint32(30, 4, true)), /its compression 4 is not read/],
    ['an unknown header', changed('colour-24.bmp', (view) => view.setUint32(14, 99, true)), /its header has 99 bytes/],
    ['no width', changed('colour-24.bmp', (view) => view.setInt32(18, 0, true)), /its size is 0 × 30/],
    ['a negative width', changed('colour-24.bmp', (view) => view.setInt32(18, -47, true)), /its size is -47 × 30/],
    ['colours across bytes', masked(0x1ff, 0xff00, 0xff0000), /do not lie in bytes of their own/],
    [
      'a palette beyond the file',
      changed('palette-8.bmp', (view) => view.setUint32(46, 256, true)).slice(0, 1062),
      /cannot be read as BMP/,
    ],
    [
      'a colour beyond the palette',
      changed('palette-8.bmp', (view) => view.setUint32(46, 2, true)),
      /a pixel has colour \d+, and its palette has 2/,
    ],
    ['another file', new Uint8Array(200), /does not begin like a BMP/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeBmp(bytes, 'a.bmp')).toThrow(message)
  })
})

test('any changed bytes give a picture or a coded error', () => {
  const files = ['palette-4.bmp', 'two-1.bmp', 'palette-8.bmp', 'colour-32.bmp'].map(fixture)
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(200), (file, changes, cut) => {
      const bytes = file.slice(0, file.length - (cut > 150 ? cut : 0))
      // Mostly in the headers, where it matters.
      for (const [place, value] of changes) bytes[place % Math.min(bytes.length, 130)] = value
      try {
        const { width, height, rgb } = decodeBmp(bytes, 'a.bmp')
        expect(rgb.length).toBe(width * height * 3)
      } catch (error) {
        expect(error).toBeInstanceOf(EdgesmithError)
        expect((error as EdgesmithError).code).toBe('IMAGE_UNREADABLE')
      }
    }),
    { numRuns: 500 },
  )
})
