import '../../fuzz-seed.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptSizes, thinningStride } from '../../../src/core/parity/thin-values.ts'

describe('keptSizes', () => {
  it('keeps small tensors whole and cuts large ones alike', () => {
    expect(keptSizes([10, 1000, 5, 1000], 215)).toEqual([10, 100, 5, 100])
    expect(keptSizes([10, 20], 1000)).toEqual([10, 20])
    expect(keptSizes([], 10)).toEqual([])
  })

  it('never keeps more than there is room for, nor more than there is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { maxLength: 60 }), fc.nat(50_000), (sizes, total) => {
        const kept = keptSizes(sizes, total)
        expect(kept.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(total)
        expect(kept.every((size, index) => size >= 0 && size <= sizes[index]!)).toBe(true)
      }),
    )
  })
})

describe('thinningStride', () => {
  it('visits every column: no factor in common with the size', () => {
    expect(thinningStride(100, 100)).toBe(1)
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000_000 }), fc.integer({ min: 1, max: 5000 }), (size, most) => {
        const stride = thinningStride(size, most)
        expect(Math.ceil(size / stride)).toBeLessThanOrEqual(Math.max(most, 1))
        for (let factor = 2; factor <= Math.min(stride, 50); factor++) expect(size % factor === 0 && stride % factor === 0).toBe(false)
      }),
    )
  })
})
