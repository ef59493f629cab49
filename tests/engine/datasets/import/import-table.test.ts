import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { toErrorReport } from '../../../../src/contract/errors.ts'
import { seededRandom } from '../../../../src/core/statistics/seeded-random.ts'
import { ImportFolder, rowsIn, valuesOf } from './import-folder.ts'
import '../../../fuzz-seed.ts'

const IMPORTER = fileURLToPath(new URL('./import-in-child.ts', import.meta.url))
const folder = new ImportFolder()
afterAll(() => folder.remove())
const csv = (text: string | Uint8Array, name = 'a.csv') => folder.file(name, text)

describe('a table', () => {
  test('becomes features and labels', async () => {
    const made = await folder.import(csv('size,colour,label\n1,red,cat\n2.5,blue,dog\n-3,red,cat\n'))
    expect([...valuesOf(made, 'features')]).toEqual([1, 1, 2.5, 0, -3, 1])
    expect([...valuesOf(made, 'labels')]).toEqual([0, 1, 0])
    expect(made).toMatchObject({
      format: 'csv',
      classNames: ['cat', 'dog'],
      columns: [
        { name: 'size', kind: 'number', categories: null, missing: 0 },
        { name: 'colour', kind: 'category', categories: ['blue', 'red'], missing: 0 },
      ],
      preprocessing: {},
      splits: [],
      report: {
        samples: 3,
        arrays: [
          { name: 'features', type: 'float32', shape: [3, 2] },
          { name: 'labels', type: 'int32', shape: [3] },
        ],
        labelled: true,
        classCounts: { 0: 2, 1: 1 },
        targets: null,
        duplicates: 0,
        statistics: [{ array: 'features', axis: 1, min: [-3, 0], max: [2.5, 1] }],
      },
    })
  })

  test('becomes features and targets', async () => {
    const made = await folder.import(csv('x;price\n1;10,5\n2;20,5\n1;30\n'), { csv: { label: 'price', missing: 'refuse' } })
    expect([...valuesOf(made, 'targets')]).toEqual([10.5, 20.5, 30])
    expect(made.report).toMatchObject({
      labelled: false,
      classCounts: null,
      targets: { width: 1, min: 10.5, max: 30, mean: expect.closeTo(61 / 3, 5) },
    })
  })

  test('counts rows that equal an earlier one', async () => {
    expect((await folder.import(csv('a,b\n1,2\n3,4\n1,2\n1,2\n'))).report.duplicates).toBe(2)
  })

  test('is divided by a column', async () => {
    const made = await folder.import(csv('a,part,y\n1,train,0\n2,test,1\n3,train,1\n'), { csv: { splitColumn: 'part', missing: 'refuse' } })
    expect(made.splits.map(({ split, rowsPath, report }) => [split, rowsIn(rowsPath), report.samples, report.classCounts])).toEqual([
      ['train', [0, 2], 2, { 0: 1, 1: 1 }],
      ['test', [1], 1, { 1: 1 }],
    ])
    expect(made.splits[0]?.report.statistics[0]).toMatchObject({ mean: [2], min: [1], max: [3] })
  })

  test('leaves rows with empty cells out, or fills them', async () => {
    const path = csv('a,c,label\n1,x,0\n,y,1\n3,x,1\n4,,0\n5,x,\n')
    const dropped = await folder.import(path, { csv: { missing: 'drop-row' } })
    expect([...valuesOf(dropped, 'features')]).toEqual([1, 0, 3, 0])
    expect(dropped.report.notes).toContain('3 of 5 rows are left out because a cell is empty.')
    const whole = csv('a,c,label\n1,x,0\n,y,1\n3,x,1\n4,,0\n')
    expect([...valuesOf(await folder.import(whole, { csv: { missing: 'mean' } }), 'features')]).toEqual([
      1,
      0,
      Math.fround(8 / 3),
      1,
      3,
      0,
      4,
      0,
    ])
    const zeroed = await folder.import(whole, { csv: { missing: 'zero' } })
    expect([...valuesOf(zeroed, 'features')]).toEqual([1, 1, 0, 2, 3, 1, 4, 0])
    expect(zeroed.report.notes).toContain('1 empty cell of column "c" became "".')
    await expect(folder.import(csv('a\n\n'), { csv: { missing: 'drop-row' } })).rejects.toMatchObject({ code: 'DATASET_EMPTY' })
  })

  test('may come from a spreadsheet: byte order marks, UTF-16, tabs', async () => {
    const text = 'größe\tlabel\r\n1\tä\r\n2\tb\r\n'
    for (const bytes of [Buffer.from(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, 'utf16le')]) {
      expect(await folder.import(csv(bytes))).toMatchObject({ columns: [{ name: 'größe' }], classNames: ['b', 'ä'] })
    }
  })
})

describe('a table is refused', () => {
  test.each<[string, string | Uint8Array, string, RegExp]>([
    ['without anything', '\n', 'DATASET_EMPTY', /a\.csv is empty/],
    ['without rows', 'a,b\n', 'DATASET_EMPTY', /a\.csv has a header and no rows/],
    ['without a header', '1,2\n3,4\n', 'DATASET_INVALID', /a\.csv, line 1: expected a header with the names of the columns, found numbers/],
    ['with two columns of one name', 'a,a\n1,2\n', 'DATASET_INVALID', /line 1: two columns are called "a"/],
    ['with a short row', 'a,b\n1,2\n3\n', 'DATASET_INVALID', /a\.csv, line 3: expected 2 cells as in the header, found 1/],
    ['with a long row', 'a,b\n1,2,3\n', 'DATASET_INVALID', /line 2: expected 2 cells as in the header, found 3/],
    ['with an empty cell', 'a,b\n1,\n2,3\n', 'DATASET_INVALID', /a\.csv, line 2, column "b": expected a number, found an empty cell/],
    ['that is no text', Uint8Array.from([0x61, 0x2c, 0x62, 0x0a, 0, 1, 2]), 'DATASET_INVALID', /holds zero bytes/],
    ['in another encoding', Buffer.from('a,label\n1,x\n2,\xe4\n', 'latin1'), 'DATASET_INVALID', /is not UTF-8 text: .* behind line 3/],
    [
      'with more classes than there can be',
      `a,label\n${Array.from({ length: 10_001 }, (_, index) => `1,c${index}`).join('\n')}`,
      'TOO_LARGE',
      /more than 10000 different texts/,
    ],
  ])('%s', async (_, text, code, message) => {
    await expect(folder.import(csv(text))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('naming line, column, what was expected and what was found', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => `${index},${index === 17 ? 'oops' : index * 2}`)
    await expect(folder.import(csv(`a,b\n${rows.join('\n')}`))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: 'a.csv, line 19, column "b": expected a number as in other rows, found "oops".',
      details: { line: 19, column: 'b', expected: 'a number', found: 'oops' },
    })
    expect(folder.leftovers()).toEqual([])
  })

  test('with options of other formats', async () => {
    await expect(folder.import(csv('a\n1'), { labelsPath: csv('x') })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

test('any text gives a dataset or a coded error', async () => {
  const cell = fc.oneof(
    fc.constantFrom('1', '2.5', '-3', '', 'NA', 'x', 'y', '1e3', '"q"', '"a,b"', '1e999', 'ä'),
    fc.string({ maxLength: 3 }),
  )
  const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom('refuse', 'drop-row', 'mean', 'zero'), fc.boolean(), async (rows, missing, header) => {
      const text = `${header ? 'a,b,label\n' : ''}${rows.map((cells) => cells.join(',')).join('\n')}`
      try {
        const made = await folder.import(csv(text), { csv: { missing } })
        expect([...valuesOf(made, 'features')].every((value) => Number.isFinite(Number(value)))).toBe(true)
      } catch (error) {
        expect(toErrorReport(error)).toMatchObject({ code: expect.stringMatching(/^(?:DATASET|TOO_LARGE|USAGE)/) })
      }
    }),
    { numRuns: 150 },
  )
})

describe('a large table', () => {
  test('of a million rows is read without memory for a million rows', async () => {
    const rows = 1_000_000
    const path = join(folder.path, 'million.csv')
    const random = seededRandom(7)
    await pipeline(function* () {
      yield 'a,b,colour,label\n'
      for (let from = 0; from < rows; from += 10_000) {
        let text = ''
        for (let row = from; row < from + 10_000; row++)
          text += `${row},${random.below(1e6) / 1000},${row % 3 === 0 ? 'red' : 'blue'},${row % 10}\n`
        yield text
      }
    }, createWriteStream(path))
    const { result, growthBytes } = await inChild(path)
    expect(result).toMatchObject({
      samples: rows,
      classCounts: Object.fromEntries(Array.from({ length: 10 }, (_, label) => [label, rows / 10])),
      duplicates: 0,
    })
    const [{ min, max, mean }] = (result as { statistics: [{ min: number[]; max: number[]; mean: number[] }] }).statistics
    expect([min[0], max[0], mean[0]]).toEqual([0, rows - 1, expect.closeTo((rows - 1) / 2, 0)])
    // 12 MB of features, 16 MB of hashes, their table, and what the collector has not taken yet; the rows as objects would be 400 MB.
    expect(growthBytes).toBeLessThan(180e6)
  }, 120_000)
})

/** Imports in a process of its own and answers the report and how much its memory grew. */
function inChild(path: string): Promise<{ result: unknown; growthBytes: number }> {
  const child = spawn(process.execPath, ['--expose-gc', IMPORTER, path, folder.out()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`exit code ${code}`))))
  })
}
