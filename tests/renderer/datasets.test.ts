import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dataset, SampleView } from '../../src/contract/dataset.ts'
import { balanceOf } from '../../src/renderer/pages/datasets/balance.ts'
import { duplicatesText } from '../../src/renderer/pages/datasets/duplicates-text.ts'
import { holdsImages } from '../../src/renderer/pages/datasets/holds-images.ts'
import { labelsShort, labelsText } from '../../src/renderer/pages/datasets/labels-text.ts'
import { nextTile } from '../../src/renderer/pages/datasets/next-tile.ts'
import { relativesOf } from '../../src/renderer/pages/datasets/relatives.ts'
import { sampleCaption } from '../../src/renderer/pages/datasets/sample-caption.ts'
import { partsProblem, sharesOf, splitPresets, totalPercent } from '../../src/renderer/pages/datasets/split-parts.ts'
import { tableValues } from '../../src/renderer/pages/datasets/table-values.ts'

const id = (digit: number) => `00000000-0000-4000-8000-00000000000${digit}`
const report = {
  samples: 10,
  arrays: [{ name: 'x', type: 'uint8', shape: [10, 28, 28] }],
  labelled: true,
  classCounts: null,
  sizeBytes: 10,
  targets: null,
  statistics: [],
  duplicates: null,
  notes: [],
}
const dataset = (change: Partial<Dataset>): Dataset => ({
  id: id(0),
  name: 'd',
  format: 'npz',
  files: [],
  preprocessing: {},
  report,
  createdAt: '2026-01-01T00:00:00.000Z',
  source: null,
  parentId: null,
  split: null,
  columns: null,
  classNames: null,
  ...change,
})
const sample = (change: Partial<SampleView>): SampleView => ({
  index: 3,
  label: null,
  labelName: null,
  target: null,
  picture: null,
  values: [],
  ...change,
})

describe('balanceOf', () => {
  it('counts classes by their index and says how far apart they are', () => {
    const { rows, samples, imbalance } = balanceOf({ '10': 30, '2': 10 }, null)
    expect(rows.map(({ index, count, share }) => [index, count, share])).toEqual([
      [2, 10, 0.25],
      [10, 30, 0.75],
    ])
    expect([samples, imbalance]).toEqual([40, 3])
  })

  it('shows a class that has a name and no sample', () => {
    expect(balanceOf({ '0': 5 }, ['cat', 'dog'])).toEqual({
      rows: [
        { index: 0, name: 'cat', count: 5, share: 1 },
        { index: 1, name: 'dog', count: 0, share: 0 },
      ],
      samples: 5,
      imbalance: null,
    })
    expect(balanceOf({}, null)).toEqual({ rows: [], samples: 0, imbalance: null })
  })
})

describe('labelsText', () => {
  it('names classes, targets or nothing', () => {
    expect(labelsText({ ...report, classCounts: { 0: 1, 1: 2 } })).toBe('2 classes')
    expect(labelsText({ ...report, classCounts: { 0: 1 } })).toBe('1 class')
    expect(labelsText({ ...report, targets: { width: 1, min: 0, max: 1, mean: 0, std: 1, histogram: null } })).toBe('1 target')
    expect(labelsText(report)).toBeNull()
    expect(labelsShort({ ...report, classCounts: { 0: 1, 1: 2 } })).toBe('2')
    expect(labelsShort(report)).toBe('–')
  })
})

describe('sampleCaption', () => {
  it('takes the name of the class, its index, or the targets', () => {
    expect(sampleCaption(sample({ label: 6, labelName: 'shirt' }))).toBe('#3 shirt')
    expect(sampleCaption(sample({ label: 6 }))).toBe('#3 class 6')
    expect(sampleCaption(sample({ target: [1, 2, 3, 4, 5] }))).toBe('#3 1, 2, 3, 4, …')
    expect(sampleCaption(sample({}))).toBe('#3')
  })
})

describe('nextTile', () => {
  it('moves by tiles and rows and stays inside', () => {
    expect(nextTile('ArrowRight', 0, 10, 4)).toBe(1)
    expect(nextTile('ArrowDown', 1, 10, 4)).toBe(5)
    expect(nextTile('ArrowDown', 7, 10, 4)).toBe(7)
    expect(nextTile('ArrowUp', 5, 10, 4)).toBe(1)
    expect(nextTile('ArrowUp', 2, 10, 4)).toBe(2)
    expect(nextTile('Home', 5, 10, 4)).toBe(0)
    expect(nextTile('End', 5, 10, 4)).toBe(9)
    expect(nextTile('a', 5, 10, 4)).toBeUndefined()
    expect(nextTile('ArrowRight', -1, 0, 1)).toBeUndefined()
  })

  it('never leaves the grid', () => {
    const keys = fc.constantFrom('ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'Home', 'End')
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 30 }), fc.nat(400), (key, count, columns, at) => {
        const next = nextTile(key, Math.min(at, count) - 1, count, columns)
        expect(next).toBeGreaterThanOrEqual(0)
        expect(next).toBeLessThan(count)
      }),
    )
  })
})

describe('tableValues', () => {
  const samples = [sample({ values: [{ array: 'features', shape: [3], first: [1.5, 1, 7] }] })]
  const columns = [
    { name: 'width', kind: 'number' as const, categories: null, missing: 0 },
    { name: 'colour', kind: 'category' as const, categories: ['red', 'blue'], missing: 0 },
    { name: 'age', kind: 'number' as const, categories: null, missing: 2 },
  ]

  it('names columns and categories of a table', () => {
    expect(tableValues(samples, columns)).toEqual({ headers: ['width', 'colour', 'age'], cells: [[1.5, 'blue', 7]] })
  })

  it('counts values of other arrays, and shows no more than fit', () => {
    const long = [sample({ values: [{ array: 'x', shape: [20], first: Array.from({ length: 20 }, (_, at) => at) }] })]
    const { headers, cells } = tableValues(long, null)
    expect(headers).toEqual(['x[0]', 'x[1]', 'x[2]', 'x[3]', 'x[4]', 'x[5]', 'x[6]', 'x[7]'])
    expect(cells).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]])
    expect(tableValues([], columns)).toEqual({ headers: [], cells: [] })
  })
})

describe('splits', () => {
  it('offers parts that take all samples', () => {
    for (const { parts } of splitPresets) {
      expect(totalPercent(parts)).toBe(100)
      expect(partsProblem(parts)).toBeNull()
    }
  })

  it('says what is wrong with the parts together', () => {
    const parts = (percents: readonly (number | string)[]) => percents.map((percent, index) => ({ name: `part${index}`, percent }))
    expect(partsProblem(parts([80, 30]))).toContain('110 %')
    expect(partsProblem(parts([33.3, 33.3, 33.4]))).toBeNull()
    expect(partsProblem([...parts([50]), ...parts([50])])).toContain('same name')
    expect(sharesOf(parts([80, '']))).toEqual([
      { name: 'part0', share: 0.8 },
      { name: 'part1', share: Number.NaN },
    ])
  })
})

describe('relativesOf', () => {
  it('names the other parts of the same dataset', () => {
    const whole = dataset({ id: id(1) })
    const parts = [2, 3, 4].map((digit) => dataset({ id: id(digit), parentId: id(1), split: `part${digit}` }))
    const all = [whole, ...parts, dataset({ id: id(5) })]
    expect(relativesOf(parts[0] as Dataset, all)).toEqual([id(3), id(4)])
    expect(relativesOf(whole, all)).toEqual([])
  })
})

describe('holdsImages', () => {
  it('goes by format and shape', () => {
    expect(holdsImages(dataset({}))).toBe(true)
    expect(holdsImages(dataset({ format: 'images' }))).toBe(true)
    expect(holdsImages(dataset({ report: { ...report, arrays: [{ name: 'features', type: 'float32', shape: [10, 4] }] } }))).toBe(false)
  })
})

describe('duplicatesText', () => {
  const names = { a: 'train', b: 'test' }
  const example = (kind: 'equal' | 'similar') => ({ indexA: 1, indexB: 2, kind })

  it('says what two datasets share, and what one holds twice', () => {
    expect(duplicatesText({ a: id(1), b: id(2), count: 2, similar: 0, examples: [example('equal')] }, names)).toBe(
      '2 samples of test also occur in train.',
    )
    expect(duplicatesText({ a: id(1), b: id(1), count: 1, similar: 0, examples: [] }, names)).toBe(
      '1 sample equals an earlier one of train.',
    )
    expect(duplicatesText({ a: id(1), b: id(2), count: 0, similar: 1, examples: [example('similar')] }, names)).toBe(
      'No sample is equal. 1 looks alike without being equal.',
    )
  })
})
