import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChannelMeans } from '../../../../src/core/quantization/calibration/channel-means.ts'

describe('ChannelMeans', () => {
  it('weighs feeds by their elements', () => {
    const means = new ChannelMeans(1)
    means.addValues(Float32Array.of(1, 2, 3, 10, 20, 30), [1, 2, 3])
    means.addValues(Float32Array.of(8, 100), [1, 2, 1])
    expect([...means.means()!]).toEqual([14 / 4, 160 / 4])
  })

  it('adds means that come computed to those of values', () => {
    const means = new ChannelMeans(-1)
    means.addMeans(Float32Array.of(1, 5), 3)
    means.addValues(Float32Array.of(2, 9, 4, 1), [2, 2])
    expect([...means.means()!]).toEqual([9 / 5, 25 / 5])
  })

  it('equals a sum over indices for any shape and axis', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(shapes, fc.nat(3), fc.boolean(), (dims, at, fromEnd) => {
        const axis = at % dims.length
        const values = Float32Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, index) => (index * 7) % 11)
        const expected = Array.from({ length: dims[axis]! }, () => [] as number[])
        const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
        for (const [index, value] of values.entries()) expected[Math.floor(index / inner) % dims[axis]!]!.push(value)
        const means = new ChannelMeans(fromEnd ? axis - dims.length : axis)
        means.addValues(values, dims)
        expect([...means.means()!]).toEqual(expected.map((channel) => channel.reduce((sum, value) => sum + value, 0) / channel.length))
      }),
    )
  })

  it('leaves out what is no number', () => {
    const means = new ChannelMeans(0)
    means.addValues(Float32Array.of(1, Number.NaN, 3, 4, Number.POSITIVE_INFINITY, 6), [2, 3])
    expect([...means.means()!]).toEqual([2, 5])
  })

  it('has no answer for channels that come and go, hold no number, or do not exist', () => {
    const uneven = new ChannelMeans(0)
    uneven.addValues(Float32Array.of(1, 2), [2])
    uneven.addValues(Float32Array.of(1, 2, 3), [3])
    const empty = new ChannelMeans(0)
    empty.addValues(new Float32Array(0), [0, 3])
    const partly = new ChannelMeans(0)
    partly.addValues(Float32Array.of(1, Number.NaN), [2])
    const missing = new ChannelMeans(2)
    missing.addValues(Float32Array.of(1, 2), [2])
    for (const means of [uneven, empty, partly, missing]) expect(means.means()).toBeUndefined()
  })
})
