import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holmAdjusted } from '../../src/core/statistics/holm.ts'

describe('holmAdjusted', () => {
  it('equals the definition, worked by hand', () => {
    // In order: 0.005 · 6, 0.01 · 5, 0.03 · 4, max(0.12, 0.04 · 3), 0.2 · 2, 1 · 1.
    const found = holmAdjusted([0.01, 0.04, 0.03, 0.005, 0.2, 1])
    const expected = [0.05, 0.12, 0.12, 0.03, 0.4, 1]
    for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 12)
    expect(holmAdjusted([])).toEqual([])
  })

  it('keeps the order of the tests and never lowers a value', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 }), (pValues) => {
        const adjusted = holmAdjusted(pValues)
        for (const [index, value] of pValues.entries()) {
          expect(adjusted[index]).toBeGreaterThanOrEqual(value)
          expect(adjusted[index]).toBeLessThanOrEqual(1)
          for (const [other, second] of pValues.entries())
            if (value <= second) expect(adjusted[index]).toBeLessThanOrEqual(adjusted[other]!)
        }
      }),
    )
  })
})
