import { describe, expect, it } from 'vitest'
import type { CompareAllResult } from '../../src/contract/compare-all.ts'
import type { Dataset } from '../../src/contract/dataset.ts'
import type { ComparisonRow } from '../../src/contract/measurement.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { compareAllInput, suggestedDatasets } from '../../src/renderer/pages/optimize/compare-all-input.ts'
import { compareAllRows } from '../../src/renderer/pages/optimize/compare-all-rows.ts'

const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const

function row(modelId: string, estimate: number): ComparisonRow {
  return { modelId, speedup: { estimate, ci95: [estimate, estimate], verdict: 'faster', blocks: 2 } } as unknown as ComparisonRow
}

const result = {
  entries: [
    { title: 'slow', recipe: [], modelId: ids[0], error: null },
    { title: 'refused', recipe: [], modelId: null, error: { code: 'RECIPE_NOT_APPLICABLE', message: 'no' } },
    { title: 'fast', recipe: [], modelId: ids[1], error: null },
    { title: 'fast too', recipe: [], modelId: ids[1], error: null },
  ],
  comparison: { rows: [row(ids[0], 1.1), row(ids[1], 2)] },
  recommended: { modelId: ids[1], reason: 'it is fast' },
} as unknown as CompareAllResult

describe('compareAllRows', () => {
  it('puts the fastest first, names twins once, and refusals last', () => {
    const rows = compareAllRows(result)
    expect(rows.map(({ title }) => title)).toEqual(['fast', 'fast too', 'slow', 'refused'])
    expect(rows.map(({ twin }) => twin)).toEqual([null, 'fast', null, null])
    expect(rows.filter(({ recommended }) => recommended).map(({ title }) => title)).toEqual(['fast'])
    expect(rows.at(-1)).toMatchObject({ row: null, error: { code: 'RECIPE_NOT_APPLICABLE' } })
  })

  it('takes a job in which nothing could be made', () => {
    const rows = compareAllRows({ ...result, comparison: null, recommended: null })
    expect(rows).toHaveLength(4)
    expect(rows.every((entry) => entry.row === null && !entry.recommended)).toBe(true)
  })
})

describe('suggestedDatasets', () => {
  const dataset = (id: string, samples: number, labelled: boolean) =>
    ({ id, name: id, report: { samples, labelled } }) as unknown as Dataset

  it('keeps test data out of calibration', () => {
    const both = [dataset('digits-calibration', 512, true), dataset('digits-test', 2000, true)]
    expect(suggestedDatasets(both)).toEqual({ calibrationId: 'digits-calibration', labelledId: 'digits-test' })
    expect(suggestedDatasets([dataset('train', 9000, true), dataset('held-out', 500, true)])).toEqual({
      calibrationId: 'train',
      labelledId: 'held-out',
    })
    expect(suggestedDatasets([dataset('only', 10, true)])).toEqual({ calibrationId: null, labelledId: 'only' })
    expect(suggestedDatasets([dataset('photos', 10, false)])).toEqual({ calibrationId: 'photos', labelledId: null })
    expect(suggestedDatasets([])).toEqual({ calibrationId: null, labelledId: null })
  })
})

describe('compareAllInput', () => {
  const choice = { modelId: ids[0], target: null, samples: 128, calibration: null, labelled: null, deviceId: 'local', settings: {} }

  it('is what the contract takes, with only what was chosen', () => {
    expect(compareAllInput(choice)).toEqual({ modelId: ids[0], deviceId: 'local', settings: {} })
    const full = compareAllInput({ ...choice, target: 'arm64', calibration: ids[1], labelled: ids[0], settings: { runs: 50, blocks: 4 } })
    expect(procedures['compareAll.start'].input.parse(full)).toMatchObject({
      target: 'arm64',
      calibrationId: ids[1],
      samples: 128,
      datasetId: ids[0],
      settings: { runs: 50 },
      blocks: 4,
    })
  })
})
