import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dominates, dominators, paretoFront } from '../../src/core/comparison/pareto.ts'

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
})

describe('paretoFront', () => {
  it('goes from fast to slow and keeps equal points', () => {
    const points = [
      { latencyMs: 3, value: 0.95 },
      { latencyMs: 1, value: 0.85 },
      { latencyMs: 1, value: 0.85 },
      { latencyMs: 2, value: 0.8 },
    ]
    expect(paretoFront(points)).toEqual([1, 2, 0])
  })

  it('holds exactly the points that nothing dominates, and gains accuracy with latency', () => {
    const point = fc.record({ latencyMs: fc.integer({ min: 1, max: 9 }), value: fc.integer({ min: 0, max: 9 }) })
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), (points) => {
        const front = paretoFront(points)
        const expected = points.flatMap((own, index) => (points.some((other) => dominates(other, own)) ? [] : [index]))
        expect([...front].sort((a, b) => a - b)).toEqual(expected)
        const values = front.map((index) => points[index]?.value ?? 0)
        expect(values).toEqual([...values].sort((a, b) => a - b))
      }),
    )
  })
})
