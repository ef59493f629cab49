import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latencySeriesSchema } from '../../../src/contract/measurement.ts'
import { backToBackOffsets, latencySeries } from '../../../src/core/statistics/latency-series.ts'

describe('latencySeries', () => {
  it('bins by number of samples and keeps extremes and medians', () => {
    const latencies = Float32Array.of(1, 5, 3, 2, 2, 9, 4)
    const offsets = Float64Array.of(0, 1, 6, 9, 11, 13, 22)
    const found = latencySeries(latencies, offsets, 3)
    expect(latencySeriesSchema.parse(found)).toEqual({
      samples: 7,
      offsetsMs: [0, 6, 11],
      minMs: [1, 2, 2],
      medianMs: [3, 2.5, 4],
      maxMs: [5, 3, 9],
    })
  })

  it('shows every sample where there is room, and one slow sample among a million', () => {
    const few = Float32Array.of(3, 1)
    expect(latencySeries(few, backToBackOffsets(few), 1000)).toEqual({
      samples: 2,
      offsetsMs: [0, 3],
      minMs: [3, 1],
      medianMs: [3, 1],
      maxMs: [3, 1],
    })
    const many = new Float32Array(1_000_000).fill(0.5)
    many[654_321] = 80
    const { maxMs, medianMs } = latencySeries(many, backToBackOffsets(many), 500)
    expect(maxMs.flatMap((value, bin) => (value > 1 ? [bin] : []))).toEqual([327])
    expect(new Set(medianMs)).toEqual(new Set([0.5]))
  })

  it('loses no sample, whatever the numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1000, noNaN: true }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 300 }),
        (list, points) => {
          const latencies = Float32Array.from(list)
          const { samples, offsetsMs, minMs, medianMs, maxMs } = latencySeries(latencies, backToBackOffsets(latencies), points)
          expect(samples).toBe(list.length)
          expect(offsetsMs).toHaveLength(Math.min(points, list.length))
          expect(Math.min(...minMs)).toBe(Math.min(...latencies))
          expect(Math.max(...maxMs)).toBe(Math.max(...latencies))
          for (const [bin, middle] of medianMs.entries()) {
            expect(middle).toBeGreaterThanOrEqual(minMs[bin] as number)
            expect(middle).toBeLessThanOrEqual(maxMs[bin] as number)
          }
        },
      ),
    )
  })

  it('refuses offsets of other samples, and no bins', () => {
    expect(() => latencySeries(Float32Array.of(1), new Float64Array(2), 5)).toThrow(RangeError)
    expect(() => latencySeries(Float32Array.of(1), new Float64Array(1), 0)).toThrow(RangeError)
  })
})
