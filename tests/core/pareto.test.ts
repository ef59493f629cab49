import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dominates, dominators } from '../../src/core/comparison/pareto.ts'

describe('dominates', () => {
  it('needs one advantage and no disadvantage', () => {
    const base = { latencyMs: 2, value: 0.9 }
    expect(dominates({ latencyMs: 1, value: 0.9 }, base)).toBe(true)
    expect(dominates({ latencyMs: 2, value: 0.91 }, base)).toBe(true)
    expect(dominates({ latencyMs: 1, value: 0.89 }, base)).toBe(false)
    expect(dominates({ latencyMs: 2.1, value: 0.95 }, base)).toBe(false)
  })

  it('never holds between equal points', () => {
    expect(dominates({ latencyMs: 2, value: 0.9 }, { latencyMs: 2, value: 0.9 })).toBe(false)
  })
})

describe('dominators', () => {
  it('names the fastest point that dominates', () => {
    const points = [
      { latencyMs: 4, value: 0.8 },
      { latencyMs: 3, value: 0.95 },
      { latencyMs: 1, value: 0.85 },
    ]
    expect(dominators(points)).toEqual([2, null, null])
  })

  it('leaves a single point and no points alone', () => {
    expect(dominators([{ latencyMs: 1, value: 0.5 }])).toEqual([null])
    expect(dominators([])).toEqual([])
  })

  it('is null exactly on the front, and names a dominating point elsewhere', () => {
    const point = fc.record({ latencyMs: fc.integer({ min: 1, max: 9 }), value: fc.integer({ min: 0, max: 9 }) })
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), (points) => {
        const found = dominators(points)
        points.forEach((own, index) => {
          const by = found[index]
          expect(by === null).toBe(!points.some((other) => dominates(other, own)))
          if (typeof by === 'number') expect(dominates(points[by] as (typeof points)[number], own)).toBe(true)
        })
      }),
    )
  })
})
