import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestWithin, dominatesBy, dominators, dominatorsBy, type Objective, type TradeOff } from '../../src/core/comparison/pareto.ts'

const both: readonly Objective<TradeOff>[] = [
  { better: 'lower', of: ({ latencyMs }) => latencyMs },
  { better: 'higher', of: ({ value }) => value },
]
const point = fc.record({ latencyMs: fc.integer({ min: 1, max: 9 }), value: fc.integer({ min: 0, max: 9 }) })

describe('dominatesBy', () => {
  it('needs one advantage and no disadvantage', () => {
    const base = { latencyMs: 2, value: 0.9 }
    expect(dominatesBy({ latencyMs: 1, value: 0.9 }, base, both)).toBe(true)
    expect(dominatesBy({ latencyMs: 2, value: 0.91 }, base, both)).toBe(true)
    expect(dominatesBy({ latencyMs: 1, value: 0.89 }, base, both)).toBe(false)
    expect(dominatesBy({ latencyMs: 2.1, value: 0.95 }, base, both)).toBe(false)
  })

  it('never holds between equal points', () => {
    expect(dominatesBy({ latencyMs: 2, value: 0.9 }, { latencyMs: 2, value: 0.9 }, both)).toBe(false)
  })

  it('puts what was not measured behind what was', () => {
    const objectives: readonly Objective<{ ms: number; accuracy: number | null }>[] = [
      { better: 'lower', of: ({ ms }) => ms },
      { better: 'higher', of: ({ accuracy }) => accuracy },
    ]
    expect(dominatesBy({ ms: 1, accuracy: 0.1 }, { ms: 1, accuracy: null }, objectives)).toBe(true)
    expect(dominatesBy({ ms: 1, accuracy: null }, { ms: 2, accuracy: 0.1 }, objectives)).toBe(false)
    expect(dominatesBy({ ms: 1, accuracy: null }, { ms: 2, accuracy: null }, objectives)).toBe(true)
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

  it('keeps a point that is best in a third objective', () => {
    const size: Objective<TradeOff & { bytes: number }> = { better: 'lower', of: ({ bytes }) => bytes }
    const points = [
      { latencyMs: 1, value: 0.9, bytes: 100 },
      { latencyMs: 2, value: 0.8, bytes: 50 },
    ]
    expect(dominators(points)).toEqual([null, 0])
    expect(dominatorsBy(points, [...both, size])).toEqual([null, null])
  })

  it('is null exactly on the front, and names a dominating point elsewhere', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), (points) => {
        const found = dominators(points)
        points.forEach((own, index) => {
          const by = found[index]
          expect(by === null).toBe(!points.some((other) => dominatesBy(other, own, both)))
          if (typeof by === 'number') expect(dominatesBy(points[by] as (typeof points)[number], own, both)).toBe(true)
        })
      }),
    )
  })
})

describe('bestWithin', () => {
  const points = [
    { latencyMs: 8, value: 0.95 },
    { latencyMs: 4, value: 0.94 },
    { latencyMs: 2, value: 0.9 },
    { latencyMs: 1, value: 0.6 },
  ]

  it('takes the most accurate within a latency budget', () => {
    expect(bestWithin(points, { maxLatencyMs: 5, minValue: null })).toBe(1)
    expect(bestWithin(points, { maxLatencyMs: 4, minValue: null })).toBe(1)
    expect(bestWithin(points, { maxLatencyMs: 0.5, minValue: null })).toBeNull()
  })

  it('takes the fastest that is accurate enough', () => {
    expect(bestWithin(points, { maxLatencyMs: null, minValue: 0.89 })).toBe(2)
    expect(bestWithin(points, { maxLatencyMs: 5, minValue: 0.89 })).toBe(2)
    expect(bestWithin(points, { maxLatencyMs: 1, minValue: 0.89 })).toBeNull()
    expect(bestWithin(points, { maxLatencyMs: null, minValue: null })).toBe(3)
  })

  it('never leaves the budget, and finds something whenever something fits', () => {
    const limit = fc.option(fc.integer({ min: 0, max: 10 }), { nil: null })
    fc.assert(
      fc.property(fc.array(point, { maxLength: 12 }), limit, limit, (all, maxLatencyMs, minValue) => {
        const fits = (p: TradeOff) => (maxLatencyMs === null || p.latencyMs <= maxLatencyMs) && (minValue === null || p.value >= minValue)
        const found = bestWithin(all, { maxLatencyMs, minValue })
        if (found === null) expect(all.some(fits)).toBe(false)
        else expect(fits(all[found] as TradeOff)).toBe(true)
      }),
    )
  })
})
