import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fullRangeScales, pairSafeScales, sharedScale } from '../../../src/core/quantization/pair-safe-scale.ts'
import { columnsLayout, convLayout, rowsLayout, type WeightLayout } from '../../../src/core/quantization/weight-layout.ts'
import { quantizeBias, quantizeWeights, scalesThatHoldBias } from '../../../src/core/quantization/weight-quantization.ts'

const INT16_MAX = 32767

/** The two 16-bit sums of `vpmaddubsw` for activations of 255, all pairs of a channel in the kernel's order. */
function pairSums(quantized: Int8Array, layout: WeightLayout, channel: number): number[] {
  const at = (k: number): number => (k < layout.order.length ? quantized[channel * layout.channelStride + layout.order[k]!]! : 0)
  return Array.from({ length: Math.ceil(layout.order.length / 2) }, (_, pair) => 255 * (at(2 * pair) + at(2 * pair + 1)))
}

const layouts = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
    .map((dims) => ({ dims, layout: convLayout(dims) })),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 })).map((dims) => ({ dims, layout: columnsLayout(dims) })),
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })).map((dims) => ({ dims, layout: rowsLayout(dims) })),
)
const weightsAndLayout = layouts.chain(({ dims, layout }) => {
  const count = dims.reduce((product, dim) => product * dim, 1)
  const weight = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e20), max: Math.fround(1e20) })
  return fc.array(weight, { minLength: count, maxLength: count }).map((list) => ({ weights: Float32Array.from(list), layout }))
})

describe('weight layouts', () => {
  it('orders convolution weights by position, then input channel', () => {
    const layout = convLayout([2, 2, 1, 3])
    expect([...layout.order]).toEqual([0, 3, 1, 4, 2, 5])
    expect([layout.channels, layout.channelStride, layout.axis]).toEqual([2, 6, 0])
  })

  it('follows the reduction of MatMul and of transposed Gemm', () => {
    expect([...columnsLayout([3, 2]).order]).toEqual([0, 2, 4])
    expect(columnsLayout([3, 2])).toMatchObject({ channels: 2, channelStride: 1, axis: 1 })
    expect([...rowsLayout([3, 2]).order]).toEqual([0, 1])
    expect(rowsLayout([3, 2])).toMatchObject({ channels: 3, channelStride: 2, axis: 0 })
  })
})

describe('pairSafeScales', () => {
  it('gives the worked example', () => {
    const layout = rowsLayout([1, 4])
    const weights = Float32Array.of(1, 1, 0.5, -1)
    expect(pairSafeScales(weights, layout)[0]).toBe(Math.fround(2 / 127.5))
    expect(fullRangeScales(weights, layout)[0]).toBe(Math.fround(1 / 127))
  })

  it('costs nothing where pairs cancel', () => {
    const layout = rowsLayout([1, 4])
    const weights = Float32Array.of(1, -1, 0.2, 0.1)
    expect(pairSafeScales(weights, layout)).toEqual(fullRangeScales(weights, layout))
  })

  it('pairs what the kernel adds: the same weights in another order need another scale', () => {
    // Two input channels, 1×2 kernel: stored [1, 1] and [−1, −1], added as (1, −1), (1, −1).
    const weights = Float32Array.of(1, 1, -1, -1)
    expect(pairSafeScales(weights, convLayout([1, 2, 1, 2]))[0]).toBe(Math.fround(1 / 127))
    expect(pairSafeScales(weights, rowsLayout([1, 4]))[0]).toBe(Math.fround(2 / 127.5))
  })

  it('leaves no pair that saturates 16 bits', () => {
    fc.assert(
      fc.property(weightsAndLayout, fc.boolean(), ({ weights, layout }, perChannel) => {
        const own = pairSafeScales(weights, layout)
        const quantized = quantizeWeights(weights, layout, perChannel ? own : sharedScale(own))
        for (let channel = 0; channel < layout.channels; channel++)
          for (const sum of pairSums(quantized, layout, channel)) expect(Math.abs(sum)).toBeLessThanOrEqual(INT16_MAX)
      }),
    )
  })

  it('is never more than twice the full range scale', () => {
    fc.assert(
      fc.property(weightsAndLayout, ({ weights, layout }) => {
        const full = fullRangeScales(weights, layout)
        for (const [channel, scale] of pairSafeScales(weights, layout).entries()) {
          expect(scale).toBeGreaterThanOrEqual(full[channel]!)
          expect(scale).toBeLessThanOrEqual(2 * full[channel]! * (1 + 1e-6))
        }
      }),
    )
  })

  it('would saturate with full range scales: the guard above has something to guard', () => {
    const layout = rowsLayout([1, 2])
    const weights = Float32Array.of(1, 1)
    expect(pairSums(quantizeWeights(weights, layout, fullRangeScales(weights, layout)), layout, 0)[0]).toBeGreaterThan(INT16_MAX)
  })

  it('gives a channel of zeros scale 1', () => {
    expect([...pairSafeScales(new Float32Array(4), rowsLayout([2, 2]))]).toEqual([1, 1])
  })
})

describe('bias', () => {
  it('rounds to even at the scale given', () => {
    expect([...quantizeBias(Float32Array.of(1.25, -0.75, 3), Float32Array.of(0.5, 0.5, 2))]).toEqual([2, -2, 2])
  })

  it('raises the weight scale of a channel whose bias would not fit', () => {
    const scales = scalesThatHoldBias(Float32Array.of(1e-9, 1e-3), Float32Array.of(4, 4), 1e-3)
    expect(scales[1]).toBe(Math.fround(1e-3))
    expect(4 / (1e-3 * scales[0]!)).toBeLessThanOrEqual(2 ** 30 * (1 + 1e-6))
    expect(scalesThatHoldBias(Float32Array.of(1e-9), Float32Array.of(1, -4), 1e-3)[0]).toBe(scales[0])
  })

  it('always fits 32 bits afterwards', () => {
    const positive = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-12), max: Math.fround(1e6) })
    fc.assert(
      fc.property(positive, positive, fc.float({ noNaN: true, min: -1e6, max: 1e6 }), (weightScale, inputScale, bias) => {
        const [scale] = scalesThatHoldBias(Float32Array.of(weightScale), Float32Array.of(bias), inputScale)
        const [quantized] = quantizeBias(Float32Array.of(bias), Float32Array.of(scale! * inputScale))
        expect(Math.abs(quantized!)).toBeLessThanOrEqual(2 ** 30 + 2 ** 8)
      }),
    )
  })
})
