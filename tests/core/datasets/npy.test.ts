import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { parseNpy, parseNpyHeader } from '../../../src/core/datasets/npy.ts'
import { countOf, elementWidth, type NumericType, readElements } from '../../../src/core/datasets/numeric-array.ts'
import { writeNpy } from '../../../src/core/datasets/write-npz.ts'
import { array, counting } from './arrays.ts'

// Made by NumPy: fixtures/make-fixtures.py has the commands.
const fixture = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.npy`)))

describe('files made by NumPy', () => {
  test.each<[string, NumericType, number[], (number | bigint)[]]>([
    ['c-order', 'float32', [1, 2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    ['fortran-order', 'int16', [2, 3, 4], counting(24)],
    ['big-endian', 'float64', [3], [1.5, -2.25, 1e300]],
    ['version-2', 'int64', [3], [1n, 2n, 3n]],
    ['version-3', 'uint8', [2], [250, 251]],
    ['scalar', 'int64', [], [16000n]],
    ['float16', 'float16', [3], [0x3c00, 0xb800, 0x7bff]],
    ['bool', 'bool', [3], [1, 0, 1]],
    ['empty', 'float32', [0, 3], []],
  ])('%s', (name, type, shape, values) => {
    const parsed = parseNpy(fixture(name), name)
    expect(parsed).toMatchObject({ type, shape })
    expect(Array.from(readElements(parsed, 0, countOf(shape)) as ArrayLike<number | bigint>)).toEqual(values)
  })

  test.each([
    ['text', /text holds text, expected numbers/],
    ['record', /record holds records, expected numbers/],
  ])('%s is refused, with its shape known', (name, message) => {
    expect(() => parseNpy(fixture(name), name)).toThrow(
      expect.objectContaining({ code: 'DATASET_TYPE', message: expect.stringMatching(message) }),
    )
    expect(parseNpyHeader(fixture(name), name)).toMatchObject({ type: undefined, shape: [name === 'text' ? 2 : 1] })
  })

  test('elements in the usual order are not copied', () => {
    const bytes = fixture('c-order')
    expect(parseNpy(bytes, 'x').bytes.buffer).toBe(bytes.buffer)
  })
})

/** An .npy with any header text. */
function npy(literal: string, body = new Uint8Array(0), version = 1): Uint8Array {
  const text = new TextEncoder().encode(`${literal}\n`)
  const length =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, (text.length >> 8) & 255, (text.length >> 16) & 255, 0]
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...text, ...body])
}
const header = (descr: string, shape = '(2,)', order = 'False') => `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`

describe('headers', () => {
  test.each<[string, string, string, number[]]>([
    ['a native order', header('=f4'), 'float32', [2]],
    ['Python 2 numbers', header('<i4', '(2L, 3L)'), 'int32', [2, 3]],
    ['no comma at the end', "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", 'uint8', [2]],
    ['another order of keys', "{'shape': (2, 3), 'fortran_order': True, 'descr': '>f8'}", 'float64', [2, 3]],
    ['no dimensions', header('|b1', '()'), 'bool', []],
    ['spaces everywhere', "  {  'descr'  :  '<f2' , 'fortran_order':False,'shape':( 2 , 3 ) , }   ", 'float16', [2, 3]],
  ])('%s', (_, literal, type, shape) => {
    expect(parseNpyHeader(npy(literal), 'x')).toMatchObject({ type, shape })
  })

  test.each([
    ['code', "__import__('os').system('x')", /not a Python dict/],
    ['code in place of a value', "{'descr': exit(), 'fortran_order': False, 'shape': (2,)}", /nothing understandable/],
    ['no shape', "{'descr': '<f4', 'fortran_order': False}", /is missing/],
    ['a key twice', "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", /descr comes twice/],
    ['another key', "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", /nothing understandable/],
    ['a negative dimension', header('<f4', '(-2,)'), /nothing understandable/],
    ['a fraction', header('<f4', '(2.5,)'), /nothing understandable/],
    ['no comma', "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", /comma is missing/],
    ['commas only', header('<f4', '(,,)'), /missing/],
    ['a bad flag', "{'descr': '<f4', 'fortran_order': 'no', 'shape': (2,)}", /missing/],
  ])('%s is refused', (_, literal, message) => {
    expect(() => parseNpyHeader(npy(literal), 'x')).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test.each([
    ['|O', /Python objects/],
    ['<U5', /text/],
    ['|S3', /byte strings/],
    ['<c8', /complex numbers/],
    ['<M8[ns]', /dates/],
    ['|V16', /raw bytes/],
    ['<f16', /elements of type "<f16"/],
    ['weird', /elements of type "weird"|raw bytes/],
  ])('%s is no number', (descr, message) => {
    expect(() => parseNpy(npy(header(descr)), 'x')).toThrow(
      expect.objectContaining({ code: 'DATASET_TYPE', message: expect.stringMatching(message) }),
    )
  })

  test.each([
    ['another file', new TextEncoder().encode('hello world, hello'), /does not begin like an \.npy/],
    ['nothing', new Uint8Array(0), /ends after 0 bytes/],
    ['a cut header', npy(header('<f4')).subarray(0, 40), /in the middle of the \.npy header/],
    ['a later version', npy(header('<f4'), undefined, 9), /version 9, expected 1 to 3/],
    ['a huge header', Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 0, 64, 0]), /header has 1073741824 bytes/],
    [
      'too few elements',
      npy(header('<f4', '(3,)'), new Uint8Array(11)),
      /shape \[3\] and type float32 need 12 bytes from byte \d+ on, found 11/,
    ],
    ['too many elements', npy(header('<f4', '(3,)'), new Uint8Array(13)), /need 12 bytes from byte \d+ on, found 13/],
    ['too many dimensions', npy(header('<f4', `(${'1, '.repeat(65)})`)), /65 dimensions/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test('a shape of terabytes allocates nothing', () => {
    expect(() => parseNpy(npy(header('<f8', '(1000000000000, 1000)')), 'x')).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })
})

describe('writing', () => {
  const types: NumericType[] = [
    'bool',
    'int8',
    'uint8',
    'int16',
    'uint16',
    'int32',
    'uint32',
    'int64',
    'uint64',
    'float16',
    'float32',
    'float64',
  ]

  test.each(types)('%s comes back', (type) => {
    for (const shape of [[], [1], [0], [2, 3], [2, 1, 2, 2]]) {
      const written = array(
        'x',
        type,
        counting(countOf(shape)).map((value) => value % 2),
        shape,
      )
      const bytes = writeNpy(written)
      expect(parseNpy(bytes, 'x')).toEqual(written)
      expect((bytes.length - countOf(shape) * elementWidth(type)) % 64).toBe(0)
    }
  })

  test('the same bytes as NumPy', () => {
    expect(writeNpy(array('x', 'float32', [0, 0.25, 0.5, 0.75, 1, 1.25], [1, 2, 3]))).toEqual(fixture('c-order'))
  })
})

test('any bytes give an array or a coded error', () => {
  const prefix = npy(header('<f4'), new Uint8Array(8))
  const mutated = fc.array(fc.record({ at: fc.nat(prefix.length - 1), to: fc.nat(255) }), { maxLength: 4 }).map((changes) => {
    const bytes = prefix.slice()
    for (const { at, to } of changes) bytes[at] = to
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (bytes) => {
      try {
        parseNpy(bytes, 'x')
      } catch (error) {
        expect(error).toBeInstanceOf(CoreError)
      }
    }),
    { numRuns: 1000 },
  )
})
