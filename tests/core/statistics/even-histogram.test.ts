import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evenHistogram } from '../../../src/core/statistics/even-histogram.ts'

describe('evenHistogram', () => {
  // python3 -c 'import numpy; print(numpy.histogram([1, 2, 2.5, 3, 4, 5], bins=4))' with NumPy 2.4.6
  it('counts as NumPy does', () => {
    const values = [1, 2, 2.5, 3, 4, 5]
    expect(evenHistogram(values, { min: 1, max: 5 }, 4)).toEqual({ edges: [1, 2, 3, 4, 5], counts: [1, 2, 1, 2] })
  })

  it('takes equal values, and none', () => {
    expect(evenHistogram([7, 7], { min: 7, max: 7 }, 4)).toEqual({ edges: [6.5, 7.5], counts: [2] })
    expect(evenHistogram([], { min: 0, max: 0 }, 4)).toEqual({ edges: [0, 1], counts: [0] })
  })

  it('counts every value once, in the bin whose edges hold it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        fc.integer({ min: 1, max: 50 }),
        (values, bins) => {
          const range = { min: Math.min(...values), max: Math.max(...values) }
          const { edges, counts } = evenHistogram(values, range, bins)
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length)
          const last = counts.length - 1
          counts.forEach((count, bin) => {
            const [low, high] = [edges[bin] as number, edges[bin + 1] as number]
            expect(values.filter((value) => value >= low && (value < high || (bin === last && value === high)))).toHaveLength(count)
          })
        },
      ),
    )
  })
})
