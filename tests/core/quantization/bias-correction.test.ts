import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { correctedBias } from '../../../src/core/quantization/bias-correction.ts'
import { columnsLayout, convLayout, rowsLayout } from '../../../src/core/quantization/weight-layout.ts'

const gemm = makeNode('Gemm', ['x', 'w', 'b'], ['y'])
const conv = (group: number) => makeNode('Conv', ['x', 'w', 'b'], ['y'], { group })

describe('correctedBias', () => {
  it('adds the error of the weights times the mean of what they meet: the worked example', () => {
    const weight = { slot: 1, layout: rowsLayout([1, 2]), depthwise: false }
    const rounded = {
      node: gemm,
      weight,
      weights: Float32Array.of(0.3, 0.3),
      quantized: Int8Array.of(1, 1),
      scales: Float32Array.of(0.25),
      means: Float64Array.of(1, 2),
    }
    expect(correctedBias(undefined, rounded)![0]).toBeCloseTo(0.15, 6)
    expect(correctedBias(Float32Array.of(1), rounded)![0]).toBeCloseTo(1.15, 6)
  })

  it('takes the input channels of its own group in a convolution', () => {
    // Two groups of one output and two input channels, one position: weights [2, 2, 1, 1].
    const weight = { slot: 1, layout: convLayout([2, 2, 1, 1]), depthwise: false }
    const rounded = {
      node: conv(2),
      weight,
      weights: Float32Array.of(1, 1, 1, 1),
      quantized: Int8Array.of(1, 2, 2, 1),
      scales: Float32Array.of(0.5, 0.5),
      means: Float64Array.of(1, 10, 100, 1000),
    }
    expect([...correctedBias(undefined, rounded)!]).toEqual([0.5, 500])
  })

  it('leaves the bias when nothing was rounded or the means do not fit', () => {
    const weight = { slot: 1, layout: columnsLayout([2, 1]), depthwise: false }
    const weights = Float32Array.of(1, 2)
    const bias = Float32Array.of(3)
    expect(
      correctedBias(bias, {
        node: gemm,
        weight,
        weights,
        quantized: Int8Array.of(1, 2),
        scales: Float32Array.of(1),
        means: Float64Array.of(1, 1),
      }),
    ).toBe(bias)
    expect(
      correctedBias(bias, {
        node: gemm,
        weight,
        weights,
        quantized: Int8Array.of(0, 0),
        scales: Float32Array.of(1),
        means: Float64Array.of(1),
      }),
    ).toBe(bias)
    const infinite = Float64Array.of(Number.POSITIVE_INFINITY, 1)
    expect(
      correctedBias(bias, { node: gemm, weight, weights, quantized: Int8Array.of(0, 0), scales: Float32Array.of(1), means: infinite }),
    ).toBe(bias)
  })

  it('makes the mean of the output right again, for every constant input', () => {
    const value = fc.double({ min: -4, max: 4, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 20 }), (rows) => {
        const [weights, rounded0, x] = [0, 1, 2].map((part) => rows.map((row) => row[part]!)) as [number[], number[], number[]]
        const quantized = Int8Array.from(rounded0, (entry) => Math.round(entry * 30))
        const restored = [...quantized].map((entry) => Math.fround(entry * Math.fround(1 / 30)))
        const weight = { slot: 1, layout: rowsLayout([1, rows.length]), depthwise: false }
        const rounded = {
          node: gemm,
          weight,
          weights: Float32Array.from(weights),
          quantized,
          scales: Float32Array.of(1 / 30),
          means: Float64Array.from(x),
        }
        const bias = correctedBias(Float32Array.of(0), rounded)!
        const answer = (w: readonly number[], b: number): number => w.reduce((sum, entry, k) => sum + entry * x[k]!, b)
        expect(answer(restored, bias[0]!)).toBeCloseTo(answer(weights, 0), 3)
      }),
    )
  })
})
