import { describe, expect, it } from 'vitest'
import type { Comparison, ComparisonRow } from '../../src/contract/measurement.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { differenceVerdict } from '../../src/core/comparison/difference-verdict.ts'
import { compareInput, emptyCompareDraft, withBaseline, withModel } from '../../src/renderer/pages/compare/compare-draft.ts'
import { comparisonWarnings, explainedRows, headlineText, outcomeText } from '../../src/renderer/pages/compare/comparison-outcome.ts'
import { histogramOutline } from '../../src/renderer/pages/compare/latency-histogram.ts'
import { chosenPoint, sharedMetric, tradeOffPoints } from '../../src/renderer/pages/compare/trade-off.ts'
import { budgetText } from '../../src/renderer/pages/compare/trade-off-text.ts'

const ids = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
] as const

interface Short {
  readonly model: string
  readonly p50: number
  readonly accuracy?: number
  readonly difference?: { difference: number; pValue: number }
  readonly speedup?: readonly [number, 'faster' | 'slower' | 'no difference shown']
  readonly sizeBytes?: number
  readonly warnings?: string[]
}

function row({ model, p50, accuracy, difference, speedup, sizeBytes = 1000, warnings = [] }: Short, index: number): ComparisonRow {
  return {
    modelId: ids[index] ?? '',
    model,
    sizeBytes,
    warnings,
    metrics: accuracy === undefined ? null : { accuracy, accuracyCi95: [accuracy - 0.01, accuracy + 0.01], top5: null, f1Macro: accuracy },
    accuracyDifference: difference ? { ...difference, onlyBaseline: 1, onlyBuild: 1, agreement: 0.9 } : null,
    latencyMs: { p50, p95: null, ci: { p50: [p50 * 0.9, p50 * 1.1] } },
    speedup: speedup ? { estimate: speedup[0], verdict: speedup[1], ci95: [1, 1], blocks: 10 } : null,
  } as unknown as ComparisonRow
}

function comparison(...rows: Short[]): Comparison {
  return { baseline: rows[0]?.model, baselineId: ids[0], rows: rows.map(row) } as unknown as Comparison
}

describe('headlineText and outcomeText', () => {
  it('names the fastest build that lost nothing', () => {
    const made = comparison(
      { model: 'net', p50: 2, accuracy: 0.9 },
      { model: 'int8', p50: 1, accuracy: 0.899, difference: { difference: -0.001, pValue: 0.4 }, speedup: [2, 'faster'] },
      { model: 'tiny', p50: 0.5, accuracy: 0.7, difference: { difference: -0.2, pValue: 1e-9 }, speedup: [4, 'faster'] },
    )
    expect(headlineText(made)).toBe('int8 is the fastest choice: 2.00× the speed of net, no loss of accuracy shown.')
    expect(outcomeText(made)).toBe('4.00× with tiny')
  })

  it('says that a gain has a price, or that there is none', () => {
    const lossy = {
      model: 'tiny',
      p50: 0.5,
      accuracy: 0.7,
      difference: { difference: -0.2, pValue: 1e-9 },
      speedup: [4, 'faster'] as const,
    }
    expect(headlineText(comparison({ model: 'net', p50: 2, accuracy: 0.9 }, lossy))).toMatch(/less accurate: the gain has a price/)
    const same = comparison({ model: 'net', p50: 2 }, { model: 'fp16', p50: 2, speedup: [1.01, 'no difference shown'] })
    expect(headlineText(same)).toBe('No build was shown to be faster than net on this machine.')
    expect(outcomeText(same)).toBe('no difference in speed shown')
    expect(outcomeText(comparison({ model: 'net', p50: 2 }, { model: 'x', p50: 3, speedup: [0.7, 'slower'] }))).toBe(
      'slower than the baseline',
    )
  })

  it('counts a larger error as a loss, and no difference as none', () => {
    const errors = (verdict: { difference: number; ci95: [number, number] }) => {
      const made = comparison({ model: 'net', p50: 2 }, { model: 'int8', p50: 1, speedup: [2, 'faster'] })
      const difference = { metric: 'rmse', pValue: null, test: 'paired bootstrap', ...verdict } as const
      return { ...made, rows: made.rows.map((entry, index) => (index === 0 ? entry : { ...entry, metricDifference: difference })) }
    }
    expect(headlineText(errors({ difference: 0.1, ci95: [0.05, 0.15] }))).toMatch(/less accurate: the gain has a price/)
    expect(headlineText(errors({ difference: 0.1, ci95: [-0.05, 0.25] }))).toMatch(/no loss of accuracy shown/)
    expect(differenceVerdict({ metric: 'rmse', difference: -0.1, ci95: [-0.2, -0.05], pValue: 0.01, test: 'paired bootstrap' })).toBe(
      'better',
    )
    expect(differenceVerdict({ metric: 'sqnrDb', difference: -3, ci95: null, pValue: null, test: 'none' })).toBeNull()
  })

  it('does not claim accuracy that was not measured', () => {
    const made = comparison({ model: 'net', p50: 2 }, { model: 'int8', p50: 1, speedup: [2, 'faster'] })
    expect(headlineText(made)).toMatch(/accuracy was not measured/)
  })
})

describe('comparisonWarnings', () => {
  it('says a warning of all models once, and names the models of others', () => {
    const made = comparison({ model: 'a', p50: 1, warnings: ['busy'] }, { model: 'b', p50: 1, warnings: ['busy', 'throttled'] })
    expect(comparisonWarnings(made)).toEqual(['busy', 'b: throttled'])
  })
})

describe('explainedRows', () => {
  it('keeps the places of rows that have an explanation', () => {
    const made = comparison({ model: 'net', p50: 2 }, { model: 'x', p50: 1 }, { model: 'y', p50: 3, speedup: [0.7, 'slower'] })
    expect(explainedRows(made)).toEqual([])
    const explanation = { findings: [], advice: null } as unknown as NonNullable<ComparisonRow['explanation']>
    const rows = made.rows.map((entry) => (entry.model === 'y' ? { ...entry, explanation } : entry))
    expect(explainedRows({ ...made, rows }).map(({ row: { model }, index }) => [model, index])).toEqual([['y', 2]])
  })
})

describe('tradeOffPoints', () => {
  const made = comparison(
    { model: 'net', p50: 2, accuracy: 0.9, sizeBytes: 4000 },
    { model: 'int8', p50: 1, accuracy: 0.91, sizeBytes: 1000 },
    { model: 'fp16', p50: 2.1, accuracy: 0.9, sizeBytes: 2000 },
  )
  const names = (points: ReturnType<typeof tradeOffPoints>) => points.map(({ dominatedBy }) => dominatedBy)

  it('greys what another one beats in accuracy and latency', () => {
    expect(names(tradeOffPoints(made, 'p50', 'metric'))).toEqual(['int8', null, 'int8'])
  })

  it('counts a smaller file as better, on either axis', () => {
    expect(names(tradeOffPoints(made, 'p50', 'size'))).toEqual(['int8', null, 'int8'])
    expect(names(tradeOffPoints(made, 'size', 'metric'))).toEqual(['int8', null, 'int8'])
    const slow = comparison({ model: 'net', p50: 1, sizeBytes: 4000 }, { model: 'small', p50: 2, sizeBytes: 1000 })
    expect(names(tradeOffPoints(slow, 'p50', 'size'))).toEqual([null, null])
  })

  it('leaves out rows without the measure', () => {
    expect(tradeOffPoints(comparison({ model: 'net', p50: 2 }), 'p50', 'metric')).toEqual([])
    expect(tradeOffPoints(comparison({ model: 'net', p50: 2 }), 'p95', 'size')).toEqual([])
  })

  it('takes an error as better when it is lower', () => {
    const rows = comparison({ model: 'net', p50: 2 }, { model: 'int8', p50: 1 }).rows.map((entry, index) => ({
      ...entry,
      metrics: { rmse: index === 0 ? 0.5 : 0.4, rmseCi95: [0.3, 0.6] as [number, number], r2: null },
    }))
    const errors = { ...made, rows }
    expect(sharedMetric(errors)).toEqual({ metric: 'rmse', better: 'lower' })
    const points = tradeOffPoints(errors, 'p50', 'metric')
    expect(names(points)).toEqual(['int8', null])
    expect(points.map(({ gain }) => gain)).toEqual([-0.5, -0.4])
    expect(points[0]?.valueInterval).toEqual([0.3, 0.6])
  })

  it('has no metric where nothing was measured', () => {
    expect(sharedMetric(comparison({ model: 'net', p50: 2 }))).toBeNull()
  })

  it('finds the best within budgets', () => {
    const points = tradeOffPoints(made, 'p50', 'metric')
    expect(chosenPoint(points, { maxCost: 5, minGain: null })?.row.model).toBe('int8')
    expect(chosenPoint(points, { maxCost: 0.5, minGain: null })).toBeUndefined()
    expect(chosenPoint(points, { maxCost: null, minGain: 0.905 })?.row.model).toBe('int8')
    expect(chosenPoint(points, { maxCost: null, minGain: 0.92 })).toBeUndefined()
    expect(chosenPoint(tradeOffPoints(made, 'p50', 'size'), { maxCost: 5, minGain: null })?.row.model).toBe('int8')
    expect(chosenPoint(tradeOffPoints(made, 'p50', 'size'), { maxCost: null, minGain: -3000 })?.row.model).toBe('int8')
  })
})

describe('budgetText', () => {
  it('names the build and its numbers, or says that none fits', () => {
    const made = comparison({ model: 'net', p50: 2, accuracy: 0.9 }, { model: 'int8', p50: 1, accuracy: 0.89 })
    const shared = sharedMetric(made)
    const points = tradeOffPoints(made, 'p50', 'metric')
    const words = { cost: 'p50', gain: 'metric', shared, maxCost: 1.5, limit: 0.88 } as const
    const chosen = chosenPoint(points, { maxCost: 1.5, minGain: 0.88 })
    expect(budgetText({ ...words, chosen })).toBe(
      'Best build with median latency (p50) within 1.50 ms and accuracy at least 88.00%: int8 (89.00%, 1.00 ms).',
    )
    expect(budgetText({ ...words, limit: null, chosen: undefined })).toBe('No build has median latency (p50) within 1.50 ms.')
  })
})

describe('histogramOutline', () => {
  it('scales to the peak and closes the last bin', () => {
    expect(histogramOutline({ edgesMs: [1, 2, 3], counts: [4, 2] })).toEqual({
      points: [
        { ms: 1, height: 1 },
        { ms: 2, height: 0.5 },
        { ms: 3, height: 0.5 },
      ],
      tail: null,
    })
  })

  it('tells a wide last bin in words instead of drawing it', () => {
    const { points, tail } = histogramOutline({ edgesMs: [1, 2, 3, 9], counts: [4, 2, 7] })
    expect(points.map(({ ms }) => ms)).toEqual([1, 2, 3])
    expect(points[0]?.height).toBe(1)
    expect(tail).toEqual({ count: 7, fromMs: 3, toMs: 9 })
  })

  it('takes an empty histogram and a wide bin without samples', () => {
    expect(histogramOutline({ edgesMs: [], counts: [] })).toEqual({ points: [], tail: null })
    expect(histogramOutline({ edgesMs: [1, 2, 9], counts: [4, 0] }).tail).toBeNull()
  })
})

describe('compareInput', () => {
  it('is what the contract takes, with only what was changed', () => {
    const draft = withModel(withModel(withBaseline(emptyCompareDraft(), ids[0]), ids[1], true), ids[2], true)
    const input = compareInput({ ...draft, settings: { runs: 50, blocks: 4 } })
    expect(input).toEqual({ baselineId: ids[0], modelIds: [ids[1], ids[2]], deviceId: 'local', settings: { runs: 50 }, blocks: 4 })
    expect(procedures['compare.start'].input.safeParse(input).success).toBe(true)
  })

  it('asks for the noise floor when it is ticked', () => {
    const draft = withModel(withBaseline(emptyCompareDraft(), ids[0]), ids[1], true)
    expect(compareInput({ ...draft, settings: { control: true } })).toMatchObject({ control: true, settings: {} })
  })

  it('never compares the baseline with itself', () => {
    const draft = withModel(withModel(emptyCompareDraft(), ids[0], true), ids[1], true)
    expect(withBaseline(draft, ids[1]).modelIds).toEqual([ids[0]])
    expect(withModel(draft, ids[0], false).modelIds).toEqual([ids[1]])
  })
})
