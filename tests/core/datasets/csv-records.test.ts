import fc from 'fast-check'
import Papa from 'papaparse'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { CsvRecords, guessDelimiter } from '../../../src/core/datasets/csv-records.ts'
import '../../fuzz-seed.ts'

/** Rows of a text that arrives in pieces of these lengths. */
function rowsOf(text: string, delimiter = ',', pieces: readonly number[] = []): { cells: readonly string[]; line: number }[] {
  const records = new CsvRecords(delimiter, 'a.csv')
  const rows = []
  let at = 0
  for (const length of pieces) {
    rows.push(...records.push(text.slice(at, at + length), false))
    at += length
  }
  return [...rows, ...records.push(text.slice(at), true)]
}
const cellsOf = (text: string, delimiter?: string, pieces?: readonly number[]) => rowsOf(text, delimiter, pieces).map(({ cells }) => cells)

describe('rows and cells', () => {
  test.each<[string, string, string[][]]>([
    [
      'plain',
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'without a last line end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'Windows and old Mac line ends',
      'a,b\r\n1,2\r3,4',
      [
        ['a', 'b'],
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['quotes', '"a","b ""x""",c', [['a', 'b "x"', 'c']]],
    [
      'a delimiter and line ends in quotes',
      '"a,b\n c",d\n1,2',
      [
        ['a,b\n c', 'd'],
        ['1', '2'],
      ],
    ],
    ['a quote within a plain cell', '5" pipe,x', [['5" pipe', 'x']]],
    ['spaces behind a closing quote', '"a" ,b', [['a', 'b']]],
    [
      'empty cells',
      ',\n,,',
      [
        ['', ''],
        ['', '', ''],
      ],
    ],
    ['an empty last cell', 'a,\n', [['a', '']]],
    ['empty lines', 'a\n\n\r\nb\n\n', [['a'], ['b']]],
    ['a quoted empty cell at the end', 'a,""', [['a', '']]],
  ])('%s', (_, text, expected) => {
    expect(cellsOf(text)).toEqual(expected)
  })

  test('lines are counted through quoted cells', () => {
    expect(rowsOf('h\n"a\nb"\r\n"c\r\nd"\n\ne').map(({ line }) => line)).toEqual([1, 2, 4, 7])
  })
})

test('equals papaparse on any table, in whatever pieces it arrives', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', ';', '"', '\n', 'ä', '😀'), maxLength: 6 })
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }),
      (rows, delimiter, newline, pieces) => {
        const text = Papa.unparse(rows, { delimiter, newline })
        expect(cellsOf(text, delimiter, pieces)).toEqual(Papa.parse<string[]>(text, { delimiter, newline }).data)
        expect(cellsOf(text, delimiter, pieces)).toEqual(rows)
      },
    ),
    { numRuns: 300 },
  )
})

test('any text gives rows or a coded error, the same in whatever pieces it arrives', () => {
  const outcome = (text: string, pieces: readonly number[]) => {
    try {
      return rowsOf(text, ',', pieces)
    } catch (error) {
      if (!(error instanceof CoreError)) throw error
      return error.code
    }
  }
  const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' '), maxLength: 40 })
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 }), (given, pieces) => {
      expect(outcome(given, pieces)).toEqual(outcome(given, []))
    }),
    { numRuns: 1000 },
  )
})

describe('refused is', () => {
  test.each<[string, string, string, RegExp]>([
    ['an open quote', 'a,b\n1,"2\n3,4', 'DATASET_INVALID', /a\.csv, line 2: a cell begins with a quote that is never closed/],
    ['text behind a quote', 'a\n"b"c', 'DATASET_INVALID', /a\.csv, line 2: text follows the closing quote/],
    ['too many columns', ','.repeat(10_001), 'TOO_LARGE', /a\.csv, line 1: more than 10000 columns/],
  ])('%s', (_, text, code, message) => {
    expect(() => rowsOf(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })

  test('a line of 100 MB, before it is held', () => {
    for (const start of ['', 'a,"']) {
      const records = new CsvRecords(',', 'a.csv')
      records.push(`x,y\n${start}`, false)
      const piece = 'z'.repeat(1 << 18)
      let pushed = 0
      expect(() => {
        for (; pushed < 100e6; pushed += piece.length) records.push(piece, false)
      }).toThrow(
        expect.objectContaining({ code: 'TOO_LARGE', message: expect.stringMatching(/line 2: the row is longer than 1048576 characters/) }),
      )
      expect(pushed).toBeLessThan(2 << 20)
    }
  })
})

describe('the delimiter', () => {
  test.each([
    ['a,b\n1,2', ','],
    ['a;b;c\n1,5;2;3\n2,5;3;4', ';'],
    ['a\tb\n1 2\t3', '\t'],
    ['a|b\n1|2', '|'],
    ['a\n1\n2', ','],
    ['name,"x;y;z"\n1,"2;3;4"', ','],
    ['a;b,c\n1;2,3\n2;3\n4;5', ';'],
  ])('of %j is %j', (text, expected) => {
    expect(guessDelimiter(text, true)).toBe(expected)
  })
})
