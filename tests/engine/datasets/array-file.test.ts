import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import { CoreError } from '../../../src/core/core-error.ts'
import { writeNpy } from '../../../src/core/datasets/write-npz.ts'
import { openArrayFile } from '../../../src/engine/datasets/array-file.ts'
import { array, counting } from '../../core/datasets/arrays.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-arrays-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const fixture = (name: string) => join(import.meta.dirname, '../../core/datasets/fixtures', `${name}.npy`)
const write = (bytes: Uint8Array) => {
  const path = join(folder, 'x.npy')
  writeFileSync(path, bytes)
  return path
}
const refused = (path: string, code: string, message: RegExp) =>
  expect(() => openArrayFile(path, 'x of data')).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))

describe('an .npy file read piece by piece', () => {
  test.each<[string, number[], (number | bigint)[]]>([
    ['c-order', [1, 2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    ['fortran-order', [2, 3, 4], counting(24)],
    ['big-endian', [3], [1.5, -2.25, 1e300]],
    ['version-2', [3], [1n, 2n, 3n]],
    ['version-3', [2], [250, 251]],
    ['scalar', [], [16000n]],
    ['float16', [3], [0x3c00, 0xb800, 0x7bff]],
    ['bool', [3], [1, 0, 1]],
    ['empty', [0, 3], []],
  ])('%s, made by NumPy', (name, shape, values) => {
    const file = openArrayFile(fixture(name), name)
    expect(file).toMatchObject({ name, shape })
    expect([...(file.read(0, values.length) as Iterable<number | bigint>)]).toEqual(values)
    if (values.length > 1) expect([...(file.read(1, values.length - 1) as Iterable<number | bigint>)]).toEqual(values.slice(1))
    file.close()
    file.close()
  })

  test('gives rows, and refuses what is not there', () => {
    const file = openArrayFile(write(writeNpy(array('x', 'int16', counting(24), [4, 2, 3]))), 'x')
    expect(file.readRows(1, 2)).toEqual(Int16Array.from(counting(12).map((value) => value + 6)))
    expect(() => file.read(20, 5)).toThrow(RangeError)
    expect(() => file.read(-1, 2)).toThrow(RangeError)
    file.close()
    expect(() => file.read(0, 1)).toThrow(/closed/)
  })

  test('any order of reads gives what is in the file', () => {
    // Larger than the window that is read ahead.
    const values = new Int32Array(200_000).map((_, index) => index)
    const file = openArrayFile(write(writeNpy({ name: 'x', type: 'int32', shape: [2000, 100], bytes: new Uint8Array(values.buffer) })), 'x')
    const reads = fc.array(fc.tuple(fc.nat(values.length - 1), fc.oneof(fc.nat(300), fc.nat(60_000))), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(reads, fc.boolean(), (places, sorted) => {
        for (const [from, most] of sorted ? places.sort(([a], [b]) => a - b) : places) {
          const count = Math.min(most, values.length - from)
          expect(Buffer.compare(Buffer.from(file.read(from, count).buffer), Buffer.from(values.slice(from, from + count).buffer))).toBe(0)
        }
      }),
    )
    file.close()
  })

  test('of another length than its header says', () => {
    const path = write(writeNpy(array('x', 'float32', counting(6), [2, 3])))
    truncateSync(path, 128 + 20)
    refused(
      path,
      'DATASET_INVALID',
      /^x of data cannot be read: its shape \[2,3\] and type float32 need 24 bytes from byte 128 on, found 20/,
    )
    appendFileSync(path, new Uint8Array(8))
    refused(path, 'DATASET_INVALID', /need 24 bytes from byte 128 on, found 28/)
    truncateSync(path, 40)
    refused(path, 'DATASET_INVALID', /in the middle of the \.npy header/)
    truncateSync(path, 0)
    refused(path, 'DATASET_INVALID', /ends after 0 bytes/)
  })

  test('cut while it is open', () => {
    const path = write(writeNpy(array('x', 'float32', counting(300_000), [3000, 100])))
    const file = openArrayFile(path, 'x of data')
    truncateSync(path, 1000)
    expect(() => file.read(0, 300)).toThrow(
      expect.objectContaining({ code: 'DATASET_INVALID', message: expect.stringMatching(/^x of data ends at byte 1000/) }),
    )
    file.close()
  })

  test('that is none, or holds no numbers', () => {
    refused(join(folder, 'none.npy'), 'FILE_NOT_FOUND', /x of data does not exist/)
    refused(folder, 'FILE_UNREADABLE', /x of data is not a regular file/)
    refused(fixture('text'), 'DATASET_TYPE', /x of data holds text, expected numbers/)
    refused(write(new TextEncoder().encode('a,b\n1,2\n3,4\n')), 'DATASET_INVALID', /does not begin like an \.npy/)
  })

  test('a header that claims terabytes costs nothing', () => {
    const bytes = writeNpy(array('x', 'float64', [1]))
    const claim = (shape: string) => {
      const text = `{'descr': '<f8', 'fortran_order': ${shape.startsWith('F') ? 'True' : 'False'}, 'shape': (${shape.replace('F', '')}), }`
      const copy = bytes.slice()
      copy.set(new TextEncoder().encode(text.padEnd(117)), 10)
      return write(copy)
    }
    refused(claim('1000000000, 100'), 'DATASET_INVALID', /need 800000000000 bytes from byte 128 on, found 8/)
    refused(claim('100000000000000, 100'), 'TOO_LARGE', /can be read/)
    refused(claim('F1000000000, 100'), 'DATASET_INVALID', /found 8/)
  })

  test('any bytes give an array or a coded error', () => {
    const whole = writeNpy(array('x', 'float32', counting(4), [2, 2]))
    const mutated = fc
      .array(fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) }), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = whole.slice()
        for (const { at, to } of changes) bytes[at] = to
        return bytes
      })
    fc.assert(
      fc.property(mutated, (bytes) => {
        try {
          openArrayFile(write(bytes), 'x').close()
        } catch (error) {
          expect(error instanceof CoreError || error instanceof EdgesmithError).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})
