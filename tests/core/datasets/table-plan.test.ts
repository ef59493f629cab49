import { describe, expect, test } from 'vitest'
import { ColumnFacts, MAX_CATEGORIES, numberOf, type TextMemory } from '../../../src/core/datasets/table-column.ts'
import { planTable, type TableOptions } from '../../../src/core/datasets/table-plan.ts'

/** A plan for columns of cells; the header is line 1. */
function plan(columns: Readonly<Record<string, readonly string[]>>, options: Partial<TableOptions> = {}) {
  const memory: TextMemory = { remembered: 0 }
  const facts = Object.entries(columns).map(([name, cells]) => {
    const column = new ColumnFacts(name, memory)
    cells.forEach((cell, index) => {
      column.add(cell, index + 2)
    })
    return column
  })
  return planTable(facts, Math.max(...Object.values(columns).map(({ length }) => length)), { missing: 'refuse', ...options }, 'a.csv')
}
const repeat = <T>(values: readonly T[], count: number) => Array.from({ length: count }, (_, index) => values[index % values.length] as T)

describe('a number', () => {
  test.each<[string, number]>([
    ['7', 7],
    ['-1.5', -1.5],
    ['+.5', 0.5],
    ['1e3', 1000],
    ['1.', 1],
    ['2E-2', 0.02],
  ])('%s', (text, value) => {
    expect(numberOf(text, false)).toBe(value)
  })
  test.each(['', '1,5', '0x10', 'Infinity', '1 000', 'e3', '.', '--1', '1e', 'NaN'])('%j is none', (text) => {
    expect(numberOf(text, false)).toBeNaN()
  })
  test('may have a decimal comma where the column has', () => {
    expect(numberOf('3,14', true)).toBe(3.14)
  })
})

describe('features', () => {
  test('are numbers or categories in alphabetical order', () => {
    expect(plan({ size: ['1', '2.5', '-3'], colour: ['red', 'blue', 'red'] }).features).toMatchObject([
      { index: 0, name: 'size', kind: 'number', categories: null, missing: 0 },
      { index: 1, name: 'colour', kind: 'category', categories: ['blue', 'red'], missing: 0 },
    ])
  })

  test('with a text among numbers are refused, naming the cell', () => {
    expect(() => plan({ age: [...repeat(['1', '2'], 19), '12x'] })).toThrow(
      expect.objectContaining({
        code: 'DATASET_INVALID',
        message: 'a.csv, line 21, column "age": expected a number as in other rows, found "12x".',
        details: { line: 21, column: 'age', expected: 'a number', found: '12x' },
      }),
    )
    // Codes that happen to be digits in part are categories.
    expect(plan({ code: ['A1', '7', 'B2', '7', '8', 'A1'] }).features[0]).toMatchObject({
      kind: 'category',
      categories: ['7', '8', 'A1', 'B2'],
    })
  })

  test('with decimal commas are numbers, unless thousands may be meant', () => {
    const { features, notes } = plan({ a: ['3,14', '2', '10,5'] })
    expect(features[0]).toMatchObject({ kind: 'number', comma: true })
    expect(notes).toEqual(['Column "a" is read with decimal commas.'])
    expect(() => plan({ a: ['1,000', '2,500'] })).toThrow(/line 2, column "a": expected a number, found "1,000"/)
    expect(() => plan({ a: ['1.5', '2,5'] })).toThrow(/found "2,5"/)
  })

  test('that say nothing are left out', () => {
    const names = Array.from({ length: 30 }, (_, index) => `row ${index}`)
    const { features, notes } = plan({
      'column 1': names.map((_, index) => String(index)),
      name: names,
      empty: names.map(() => ''),
      x: names.map(() => '1'),
    })
    expect(features.map(({ name }) => name)).toEqual(['x'])
    expect(notes).toEqual([
      'Column "column 1" is left out: it numbers the rows.',
      'Column "name" is left out: every row has another text in it, as names of rows have.',
      'Column "empty" is left out: every cell is empty.',
    ])
  })

  test('are left out by name', () => {
    expect(plan({ a: ['1'], b: ['2'] }, { ignore: ['a'] }).features.map(({ index }) => index)).toEqual([1])
    expect(() => plan({ a: ['1'] }, { ignore: ['c'] })).toThrow(/a\.csv has no column "c" to leave out: it has "a"/)
    expect(() => plan({ a: ['1'] }, { ignore: ['a'] })).toThrow(expect.objectContaining({ code: 'DATASET_EMPTY' }))
  })

  test('beyond float32 are refused, and whole numbers it rounds are told', () => {
    expect(() => plan({ a: ['1e39'] })).toThrow(expect.objectContaining({ code: 'DATASET_TYPE' }))
    expect(plan({ a: ['16777217', '1'] }).notes).toEqual(['Column "a" holds whole numbers beyond 16777216, which float32 rounds.'])
  })

  test('of more texts than categories may have are refused', () => {
    const texts = Array.from({ length: MAX_CATEGORIES + 1 }, (_, index) => `t${index}`)
    expect(() => plan({ a: [...texts, ...texts] })).toThrow(
      expect.objectContaining({
        code: 'TOO_LARGE',
        message: expect.stringMatching(/column "a" of a\.csv holds more than 10000 different texts/i),
      }),
    )
  })
})

describe('missing values', () => {
  const columns = { x: ['1', '', 'NA', '5'], colour: ['red', 'red', '', 'NA'], label: ['0', '1', '0', '1'] }

  test('are refused by their first cell', () => {
    expect(() => plan(columns)).toThrow(
      expect.objectContaining({
        message: 'a.csv, line 3, column "x": expected a number, found an empty cell.',
        hint: expect.stringMatching(/leave such rows out/),
      }),
    )
  })

  test('become the mean or the most frequent text', () => {
    expect(plan(columns, { missing: 'mean' }).features).toMatchObject([
      { fill: 3, missing: 2 },
      // NA is a text among texts.
      { categories: ['NA', 'red'], fill: 1, missing: 1 },
    ])
  })

  test('become 0, for categories a category of its own', () => {
    expect(plan(columns, { missing: 'zero' }).features).toMatchObject([{ fill: 0 }, { categories: ['', 'NA', 'red'], fill: 0 }])
  })

  test('of the label can only be left out', () => {
    const missing = { x: ['1', '2'], label: ['0', ''] }
    for (const policy of ['refuse', 'mean', 'zero'] as const)
      expect(() => plan(missing, { missing: policy })).toThrow(/line 3, column "label"/)
    expect(plan(missing, { missing: 'drop-row' }).label?.task).toBe('classification')
  })
})

describe('the label', () => {
  const x = repeat(['1', '2', '3'], 100)
  test('is the last column that is called so, or the one that is named', () => {
    expect(plan({ y: x, x, Class: x }).label?.name).toBe('Class')
    expect(plan({ x, z: x }).label).toBeNull()
    expect(plan({ x, z: x }, { label: 'x' }).label?.name).toBe('x')
    expect(() => plan({ x }, { label: 'none' })).toThrow(/has no column "none" of labels/)
    expect(() => plan({ x, y: x }, { label: 'y', ignore: ['y'] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('of texts is classes', () => {
    expect(plan({ x, label: repeat(['dog', 'cat'], 100) }).label).toMatchObject({ task: 'classification', classNames: ['cat', 'dog'] })
  })

  test('of few whole numbers is classes, of many or of fractions values', () => {
    const few = plan({ x, label: repeat(['3', '5'], 100) })
    expect(few.label).toMatchObject({ task: 'classification', classNames: null, kind: 'number' })
    expect(few.notes).toEqual(['Column "label" of a.csv is taken as class labels: 2 different whole numbers.'])
    const many = Array.from({ length: 100 }, (_, index) => String(index * 3))
    expect(plan({ x, label: many }).label?.task).toBe('regression')
    expect(plan({ x, label: repeat(['0.5', '1'], 100) }).label?.task).toBe('regression')
    expect(plan({ x, label: many }, { task: 'classification' }).label).toMatchObject({ task: 'classification', classNames: null })
    expect(plan({ x, label: repeat(['3', '5'], 100) }, { task: 'regression' }).label?.task).toBe('regression')
  })

  test('of negative whole numbers is classes with names', () => {
    expect(plan({ x, label: repeat(['-1', '1'], 100) }, { task: 'classification' }).label).toMatchObject({
      classNames: ['-1', '1'],
      kind: 'category',
    })
  })

  test('of texts is no value to regress', () => {
    expect(() => plan({ x, label: repeat(['a', 'b'], 100) }, { task: 'regression' })).toThrow(
      /line 2, column "label": expected a number, found "a"/,
    )
  })

  test('takes its indices from a list of classes', () => {
    const classes = { dog: 3, cat: 1 }
    expect(plan({ x, label: repeat(['dog', 'cat'], 100) }, { classes }).label?.classNames).toEqual(['class 0', 'cat', 'class 2', 'dog'])
    expect(() => plan({ x, label: repeat(['dog', 'cow'], 100) }, { classes })).toThrow(
      /holds "cow", which the list of classes does not name/,
    )
    expect(() => plan({ x, label: repeat(['dog'], 100) }, { classes: { dog: 1, cat: 1 } })).toThrow(/have the same index 1/)
  })
})

test('columns of numbers forget their texts before they fill the memory', () => {
  const memory: TextMemory = { remembered: 0 }
  const columns = Array.from({ length: 400 }, (_, index) => new ColumnFacts(`c${index}`, memory))
  for (let row = 0; row < 4000; row++) for (const column of columns) column.add(String(row), row + 2)
  expect(memory.remembered).toBeLessThanOrEqual(1_000_001)
  expect(columns.some(({ occurrences }) => occurrences === undefined)).toBe(true)
})
