import { describe, expect, it } from 'vitest'
import { FidelityAccumulator, worstFidelity } from '../../../src/core/metrics/fidelity.ts'

function compare(...pairs: readonly (readonly [ArrayLike<number | bigint>, ArrayLike<number | bigint>])[]) {
  const accumulator = new FidelityAccumulator()
  for (const [reference, actual] of pairs) accumulator.add(reference, actual)
  return accumulator.result()
}

describe('FidelityAccumulator', () => {
  it('gives the worked example', () => {
    const { sqnrDb, cosine, maxAbsDiff } = compare([
      [3, 4],
      [3, 4.5],
    ])
    expect(sqnrDb).toBeCloseTo(20, 10)
    expect(cosine).toBeCloseTo(27 / (5 * Math.sqrt(29.25)), 12)
    expect(maxAbsDiff).toBe(0.5)
  })

  it('adds batches up as if they were one', () => {
    expect(compare([[3], [3]], [[4], [4.5]])).toEqual(
      compare([
        [3, 4],
        [3, 4.5],
      ]),
    )
  })

  it('says null for identical outputs, also of zeros and of 64-bit integers', () => {
    expect(
      compare([
        [1, 2],
        [1, 2],
      ]),
    ).toEqual({ sqnrDb: null, cosine: 1, maxAbsDiff: 0 })
    expect(
      compare([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual({ sqnrDb: null, cosine: 1, maxAbsDiff: 0 })
    expect(compare([BigInt64Array.of(5n), BigInt64Array.of(5n)]).sqnrDb).toBeNull()
  })

  it('stays finite when the reference is all zero', () => {
    expect(
      compare([
        [0, 0],
        [1, 0],
      ]),
    ).toEqual({ sqnrDb: -300, cosine: 0, maxAbsDiff: 1 })
  })

  it('leaves out places where the reference is no finite number', () => {
    const reference = [1, Number.NEGATIVE_INFINITY, Number.NaN]
    expect(compare([reference, [1, Number.NEGATIVE_INFINITY, 7]])).toEqual({ sqnrDb: null, cosine: 1, maxAbsDiff: 0 })
  })

  it('refuses other lengths', () => {
    expect(() => compare([[1, 2], [1]])).toThrow(RangeError)
  })
})

describe('worstFidelity', () => {
  it('takes the lowest ratio, null counting as best', () => {
    const exact = { sqnrDb: null, cosine: 1, maxAbsDiff: 0 }
    const good = { sqnrDb: 40, cosine: 0.999, maxAbsDiff: 0.1 }
    const bad = { sqnrDb: 12, cosine: 0.97, maxAbsDiff: 0.05 }
    expect(worstFidelity([exact, good, bad])).toBe(bad)
    expect(worstFidelity([exact])).toBe(exact)
  })
})
