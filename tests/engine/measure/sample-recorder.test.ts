import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeSamples, SampleRecorder } from '../../../src/engine/measure/sample-recorder.ts'

describe('SampleRecorder', () => {
  it('keeps every sample over many pieces, and when it began since the first', () => {
    const recorder = new SampleRecorder()
    const count = 100_001
    for (let i = 0; i < count; i++) recorder.add(500 + i, i / 7)
    const { latenciesMs, offsetsMs } = recorder.samples()
    expect([recorder.count, recorder.bytes, latenciesMs.length, offsetsMs.length]).toEqual([count, 12 * count, count, count])
    for (const i of [0, 1, 32_767, 32_768, 65_536, count - 1]) expect([latenciesMs[i], offsetsMs[i]]).toEqual([Math.fround(i / 7), i])
    expect(recorder.samples(0).offsetsMs[0]).toBe(500)
    expect(new SampleRecorder().samples().latenciesMs).toHaveLength(0)
  })
})

describe('mergeSamples', () => {
  it('puts streams in the order their samples began', () => {
    const begins = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 30 }).map((list) => list.sort((a, b) => a - b))
    fc.assert(
      fc.property(fc.array(begins, { maxLength: 9 }), (streams) => {
        // The latency tells where a sample came from.
        const samples = streams.map((list) => ({
          latenciesMs: Float32Array.from(list, (begin) => begin + 0.5),
          offsetsMs: Float64Array.from(list),
        }))
        const { latenciesMs, offsetsMs } = mergeSamples(samples)
        const all = streams.flat().sort((a, b) => a - b)
        const first = all[0] ?? 0
        expect([...offsetsMs]).toEqual(all.map((begin) => begin - first))
        expect([...latenciesMs]).toEqual(all.map((begin) => begin + 0.5))
      }),
    )
  })
})
