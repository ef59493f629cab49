import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrangeTree, sortTree } from '../../src/renderer/components/sort-tree.ts'
import { rowWindow } from '../../src/renderer/components/window-rows.ts'

interface Row {
  readonly id: string
  readonly parent: string | null
  readonly size: number | null
}
const row = (id: string, parent: string | null, size: number | null): Row => ({ id, parent, size })
const key = ({ id }: Row) => id
const parent = (of: Row) => of.parent
const ids = (rows: readonly Row[]) => rows.map(key).join(' ')

describe('arrangeTree', () => {
  it('puts children after their parent, whatever the order was', () => {
    const rows = [row('a1x', 'a1', 1), row('b', null, 1), row('a1', 'a', 1), row('a', null, 1), row('a2', 'a', 1)]
    expect(ids(arrangeTree(rows, key, parent))).toBe('b a a1 a1x a2')
  })

  it('keeps rows whose parent was filtered away', () => {
    expect(ids(arrangeTree([row('x', 'gone', 1), row('y', null, 1)], key, parent))).toBe('x y')
  })
})

describe('sortTree', () => {
  const rows = [row('a', null, 5), row('a1', 'a', 9), row('a2', 'a', 1), row('b', null, 2), row('c', null, null)]
  const size = (of: Row) => of.size

  it('sorts among siblings and puts missing values last both ways', () => {
    expect(ids(sortTree(rows, key, parent, size, false))).toBe('b a a2 a1 c')
    expect(ids(sortTree(rows, key, parent, size, true))).toBe('a a1 a2 b c')
  })

  it('sorts a plain list without parents', () => {
    expect(ids(sortTree(rows, key, undefined, size, false))).toBe('a2 b a a1 c')
  })

  it('sorts names with numbers the way people do', () => {
    const named = [row('m10', null, 1), row('m9', null, 1)]
    expect(ids(sortTree(named, key, undefined, key, false))).toBe('m9 m10')
  })
})

describe('rowWindow', () => {
  it('covers what is in view, with some more on both sides', () => {
    expect(rowWindow(0, 100, 25, 1000, 2)).toEqual({ first: 0, end: 6 })
    expect(rowWindow(1000, 100, 25, 1000, 2)).toEqual({ first: 38, end: 46 })
    expect(rowWindow(24_990, 100, 25, 1000, 2)).toEqual({ first: 997, end: 1000 })
    expect(rowWindow(-40, 100, 25, 3, 2)).toEqual({ first: 0, end: 3 })
  })

  it('never leaves the list', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e4, max: 1e7, noNaN: true }), fc.nat(2000), fc.nat(20_000), (scrollTop, height, count) => {
        const { first, end } = rowWindow(scrollTop, height, 26, count, 12)
        expect(first).toBeGreaterThanOrEqual(0)
        expect(end).toBeLessThanOrEqual(count)
        expect(first).toBeLessThanOrEqual(end)
      }),
    )
  })
})
