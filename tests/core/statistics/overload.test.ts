import { describe, expect, it } from 'vitest'
import { endsBehind, keepsGrowing } from '../../../src/core/statistics/overload.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

describe('keepsGrowing', () => {
  const random = seededRandom(7)
  const noise = () => 0.5 + random.uniform()

  it('sees a queue that never empties, not one that was filled once', () => {
    expect(keepsGrowing(Float32Array.from({ length: 400 }, (_, i) => noise() + i / 20))).toBe(true)
    expect(keepsGrowing(Float32Array.from({ length: 400 }, noise))).toBe(false)
    const stalled = Float32Array.from({ length: 400 }, (_, i) => noise() + (i >= 150 ? Math.max(0, 100 - (i - 150)) : 0))
    expect(keepsGrowing(stalled)).toBe(false)
    const lateStall = Float32Array.from({ length: 400 }, (_, i) => noise() + (i >= 320 ? 500 : 0))
    expect(keepsGrowing(lateStall)).toBe(false)
  })

  it('says nothing of few samples', () => {
    expect(keepsGrowing(Float32Array.from({ length: 39 }, (_, i) => i + 1))).toBe(false)
    expect(keepsGrowing(Float32Array.from({ length: 40 }, (_, i) => i + 1))).toBe(true)
  })
})

describe('endsBehind', () => {
  const offsets = Float64Array.from({ length: 100 }, (_, i) => 10 * i)

  it('counts what was unanswered when the last request was due', () => {
    expect(endsBehind(new Float32Array(100).fill(200), offsets)).toBe(false)
    // Answered at twice the time they were due: half of them after the last arrival.
    expect(endsBehind(Float32Array.from(offsets), offsets)).toBe(true)
    // The last 25 and the last 26 wait for the same moment.
    const stuck = (from: number) => Float32Array.from(offsets, (due, i) => (i >= from ? 2000 - due : 1))
    expect([endsBehind(stuck(75), offsets), endsBehind(stuck(74), offsets)]).toEqual([false, true])
    expect(endsBehind(new Float32Array(30).fill(5000), offsets.subarray(0, 30))).toBe(false)
  })
})
