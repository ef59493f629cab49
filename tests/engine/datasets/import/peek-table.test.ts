import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peekTable } from '../../../../src/engine/datasets/import/peek-table.ts'

describe('peekTable', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-peek-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function table(name: string, text: string): string {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('names the columns and shows the first rows', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => `${index};"a;${index}"`)
    expect(peekTable(table('t.csv', ['id;name', ...rows].join('\n')), undefined)).toEqual({
      delimiter: ';',
      columns: ['id', 'name'],
      rows: [
        ['0', 'a;0'],
        ['1', 'a;1'],
        ['2', 'a;2'],
        ['3', 'a;3'],
      ],
    })
  })

  it('takes the delimiter of the user, and cuts long cells', () => {
    const path = table('long.csv', `a|b,c\n${'x'.repeat(500)}|1\n`)
    expect(peekTable(path, '|')).toEqual({ delimiter: '|', columns: ['a', 'b,c'], rows: [['x'.repeat(80), '1']] })
  })

  it('refuses what is no table', () => {
    expect(() => peekTable(join(folder, 'none.csv'), undefined)).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
    expect(() => peekTable(folder, undefined)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
    expect(() => peekTable(table('empty.csv', ''), undefined)).toThrow(expect.objectContaining({ code: 'DATASET_EMPTY' }))
    expect(() => peekTable(table('ragged.csv', 'a,b\n1,2,3\n'), undefined)).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }))
  })
})
