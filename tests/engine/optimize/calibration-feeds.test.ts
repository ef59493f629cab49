import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { calibrationFeeds, someFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import { generatedInputs } from '../../../src/engine/optimize/generated-inputs.ts'

/** A dataset of `sampleCount` samples that answers with the indices it is asked for. */
function dataset(sampleCount: number, fixedBatch?: number) {
  const asked: number[][] = []
  const gather = (indices: readonly number[]) => {
    asked.push([...indices])
    return {}
  }
  return { asked, reader: { sampleCount, fixedBatch, gather } }
}

describe('calibrationFeeds', () => {
  it('spreads the samples over the whole dataset', async () => {
    const { asked, reader } = dataset(1000)
    const feeds = calibrationFeeds(reader, 4)
    expect([feeds.feeds, feeds.samples]).toEqual([4, 4])
    for (let index = 0; index < feeds.feeds; index++) await feeds.read(index)
    expect(asked).toEqual([[0], [250], [500], [750]])
  })

  it('takes all there are when more are asked for', () => {
    expect(calibrationFeeds(dataset(5).reader, 100).samples).toBe(5)
  })

  it('fills the last batch of a fixed size up from the front', async () => {
    const { asked, reader } = dataset(5, 4)
    const feeds = calibrationFeeds(reader, 5)
    expect([feeds.feeds, feeds.samples]).toEqual([2, 5])
    await feeds.read(1)
    expect(asked).toEqual([[4, 0, 1, 2]])
  })

  it('picks some feeds, evenly spaced', async () => {
    const { asked, reader } = dataset(10)
    const some = someFeeds(calibrationFeeds(reader, 10), 2)
    expect(some.feeds).toBe(2)
    await some.read(1)
    expect(asked).toEqual([[5]])
  })
})

describe('generatedInputs', () => {
  const ports = [
    { name: 'tokens', type: 'int64', shape: ['batch', 'length'] },
    { name: 'length', type: 'int32', shape: [1] },
    { name: 'mask', type: 'bool', shape: [undefined, 2] },
    { name: 'image', type: 'float32', shape: [2, 3, 'h', 'w'] },
  ] as const

  it('gives the same inputs for the same seed, the batch 1 and other free dimensions as asked', () => {
    const made = generatedInputs(ports, { size: 4, statesOfOne: false }, seededRandom(3))!
    expect(made).toEqual(generatedInputs(ports, { size: 4, statesOfOne: false }, seededRandom(3)))
    expect(Object.fromEntries(Object.entries(made).map(([name, { dims }]) => [name, dims]))).toEqual({
      tokens: [1, 4],
      length: [1],
      mask: [1, 2],
      image: [2, 3, 4, 4],
    })
  })

  it('takes the batch for 1 wherever its name stands, and states that are asked for', () => {
    const recurrent = [
      { name: 'x', type: 'float32', shape: ['batch', 'length'] },
      { name: 'h', type: 'float32', shape: [2, 'batch', 64] },
      { name: 'c', type: 'float32', shape: [2, undefined, 64] },
    ] as const
    const dims = (statesOfOne: boolean) =>
      Object.values(generatedInputs(recurrent, { size: 32, statesOfOne }, seededRandom(1))!).map((tensor) => tensor.dims)
    expect(dims(false)).toEqual([
      [1, 32],
      [2, 1, 64],
      [2, 32, 64],
    ])
    expect(dims(true)).toEqual([
      [1, 32],
      [2, 1, 64],
      [2, 1, 64],
    ])
  })

  it('keeps integers within any table, and a single one at 1', () => {
    const made = generatedInputs(ports, { size: 64, statesOfOne: false }, seededRandom(3))!
    expect(new Set(made.tokens!.values as BigInt64Array)).toEqual(new Set([0n, 1n]))
    expect([...(made.length!.values as Int32Array)]).toEqual([1])
  })

  it('gives standard normal floats', () => {
    const values = generatedInputs([{ name: 'x', type: 'float32', shape: [20_000] }], { size: 1, statesOfOne: false }, seededRandom(5))!.x!
      .values as Float32Array
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(0, 1)
    expect(variance).toBeCloseTo(1, 1)
  })

  it('refuses absurd sizes and types it cannot make', () => {
    expect(
      generatedInputs([{ name: 'x', type: 'float32', shape: [1e6, 1e6] }], { size: 1, statesOfOne: false }, seededRandom(1)),
    ).toBeUndefined()
    expect(
      generatedInputs([{ name: 'x', type: 'complex64', shape: [1] }], { size: 1, statesOfOne: false }, seededRandom(1)),
    ).toBeUndefined()
  })
})
