import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type WorstSamplesRequest, worstSamples } from '../../../src/core/metrics/worst-samples.ts'

const classification: WorstSamplesRequest = {
  task: 'classification',
  samples: 6,
  perSample: {
    labels: Int32Array.of(0, 1, 2, 0, 1, 2),
    predictions: Int32Array.of(0, 2, 1, -1, 1, 0),
    confidence: Float32Array.of(0.9, 0.5, 0.75, Number.NaN, 0.6, 0.25),
  },
  beside: undefined,
  only: 'wrong',
  class: undefined,
  limit: 10,
}
const beside = { predictions: Int32Array.of(1, 1, 1, 0, 0, 0), labels: Int32Array.of(0, 1, 2, 0, 1, 2) }

describe('worst samples', () => {
  it('of a classification are the wrong ones, the surest first', () => {
    const { total, samples } = worstSamples(classification)
    expect(total).toBe(4)
    expect(samples.map(({ index }) => index)).toEqual([3, 2, 1, 5])
    expect(samples[0]).toEqual({ index: 3, expected: 0, answer: null, baselineAnswer: null, confidence: null, error: null })
    expect(samples[1]).toEqual({ index: 2, expected: 2, answer: 1, baselineAnswer: null, confidence: 0.75, error: null })
    expect(worstSamples({ ...classification, limit: 2 })).toMatchObject({ total: 4, samples: [{ index: 3 }, { index: 2 }] })
    expect(worstSamples({ ...classification, class: 2 }).samples.map(({ index }) => index)).toEqual([2, 5])
  })

  it('beside another evaluation are those where the two part', () => {
    const indices = (only: WorstSamplesRequest['only']) =>
      worstSamples({ ...classification, beside, only }).samples.map(({ index }) => index)
    expect(indices('newly-wrong')).toEqual([3, 1])
    expect(indices('newly-right')).toEqual([0, 4])
    expect(indices('different')).toEqual([3, 0, 4, 1])
    expect(worstSamples({ ...classification, beside, only: 'newly-wrong' }).samples[1]).toMatchObject({ answer: 2, baselineAnswer: 1 })
    // The answers of the baseline that it was evaluated against do as well.
    const perSample = { ...classification.perSample, baselinePredictions: beside.predictions }
    expect(worstSamples({ ...classification, perSample, only: 'newly-right' }).total).toBe(2)
    expect(() => worstSamples({ ...classification, only: 'different' })).toThrow(RangeError)
  })

  it('of a regression are the largest errors, with the value they are at', () => {
    const request: WorstSamplesRequest = {
      ...classification,
      task: 'regression',
      samples: 3,
      perSample: { actual: Float32Array.of(1, 1, 2, 2, 3, 3), predicted: Float32Array.of(1, 2, 2, 2, 0, 3) },
      beside: { predicted: Float32Array.of(9, 8, 7, 6, 5, 4) },
    }
    expect(worstSamples({ ...request, limit: 2 })).toEqual({
      total: 3,
      samples: [
        { index: 2, expected: 3, answer: 0, baselineAnswer: 5, confidence: null, error: 3 },
        { index: 0, expected: 1, answer: 2, baselineAnswer: 8, confidence: null, error: 1 },
      ],
    })
    expect(() => worstSamples({ ...request, perSample: {} })).toThrow(RangeError)
  })

  it('of parity are those furthest from the baseline, identical ones left out', () => {
    const request: WorstSamplesRequest = {
      ...classification,
      task: 'parity',
      samples: 4,
      perSample: { sampleSqnrDb: Float32Array.of(40, 300, 12.5, -300) },
    }
    const { total, samples } = worstSamples(request)
    expect(total).toBe(3)
    expect(samples.map(({ index, error }) => [index, error])).toEqual([
      [3, -300],
      [2, 12.5],
      [0, 40],
    ])
    const scored = { ...request.perSample, predictions: Int32Array.of(1, 2, 3, 4), baselinePredictions: Int32Array.of(1, 2, 0, 0) }
    expect(worstSamples({ ...request, perSample: scored }).samples[1]).toMatchObject({ answer: 3, baselineAnswer: 0 })
  })

  it('are the first of a sorted list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (errors, limit) => {
          const request = {
            ...classification,
            task: 'regression' as const,
            samples: errors.length,
            perSample: { actual: new Float32Array(errors.length), predicted: Float32Array.from(errors) },
            limit,
          }
          const sorted = errors.map((error, index) => ({ error: Math.abs(error), index })).sort((a, b) => b.error - a.error)
          expect(worstSamples(request).samples.map(({ index }) => index)).toEqual(sorted.slice(0, limit).map(({ index }) => index))
        },
      ),
    )
  })
})
