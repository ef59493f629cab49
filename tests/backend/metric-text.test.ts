import { describe, expect, it } from 'vitest'
import { differenceTest, differenceText, headlineText } from '../../src/backend/report/metric-text.ts'
import type { MetricDifference } from '../../src/contract/evaluation.ts'
import { differenceVerdict } from '../../src/core/comparison/difference-verdict.ts'

describe('headlineText', () => {
  it('names what is no accuracy', () => {
    expect(headlineText({ accuracy: 0.9305, f1Macro: 0.93 })).toBe('93.05 %')
    expect(headlineText({ r2: 0.91234, rmse: 2 })).toBe('R² 0.912')
    expect(headlineText({ r2: null, rmse: 2 })).toBe('RMSE 2.00')
    expect(headlineText({ sqnrDb: 34.06, cosine: 0.999 })).toBe('SQNR 34.1 dB')
    expect(headlineText({ sqnrDb: null, cosine: 1 })).toBe('identical')
    expect(headlineText(null)).toBe('–')
  })
})

describe('differences', () => {
  const accuracy: MetricDifference = { metric: 'accuracy', difference: -0.0015, ci95: [-0.004, 0.001], pValue: 0.21, test: 'mcnemar' }
  const rmse: MetricDifference = { metric: 'rmse', difference: 0.0123, ci95: [0.01, 0.015], pValue: null, test: 'paired bootstrap' }

  it('carry their unit and their test', () => {
    expect(differenceText(accuracy)).toBe('−0.15 points')
    expect(differenceTest(accuracy)).toMatch(/^exact McNemar test, p = 0\.21/)
    expect(differenceText(rmse)).toBe('RMSE +0.0123')
    expect(differenceTest(rmse)).toContain('+0.0100')
    expect(differenceText({ ...rmse, test: 'none' })).toBe('–')
  })

  it('are judged in the direction of the metric', () => {
    expect(differenceVerdict(accuracy)).toBe('no difference shown')
    expect(differenceVerdict({ ...accuracy, pValue: 0.01 })).toBe('worse')
    expect(differenceVerdict(rmse)).toBe('worse')
    expect(differenceVerdict({ ...rmse, difference: -0.0123, ci95: [-0.015, -0.01] })).toBe('better')
    expect(differenceVerdict({ ...rmse, ci95: [-0.01, 0.015] })).toBe('no difference shown')
    expect(differenceVerdict(null)).toBeNull()
  })
})
