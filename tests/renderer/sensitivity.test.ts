import { describe, expect, it } from 'vitest'
import type { SensitivityReport } from '../../src/contract/recipe.ts'
import { damageOf } from '../../src/renderer/pages/models/sensitivity-damage.ts'

const report = { metric: 'sqnrDb', baseline: null } as SensitivityReport
const byAccuracy = { metric: 'accuracy', baseline: 0.9 } as SensitivityReport
const unit = (sqnrDb: number | null, accuracy: number | null = null) => ({
  node: 'n',
  op: 'Conv',
  sqnrDb,
  accuracy,
  gainMs: null,
  macs: null,
})

describe('damageOf', () => {
  it('is the amplitude of the noise without labels', () => {
    expect(damageOf(unit(20), report)).toBeCloseTo(0.1, 12)
    expect(damageOf(unit(26.0206), report) / damageOf(unit(20), report)).toBeCloseTo(0.5, 4)
    expect(damageOf(unit(null), report)).toBe(0)
  })

  it('is the accuracy that is lost with labels, and never less than nothing', () => {
    expect(damageOf(unit(20, 0.87), byAccuracy)).toBeCloseTo(0.03, 12)
    expect(damageOf(unit(20, 0.91), byAccuracy)).toBe(0)
    expect(damageOf(unit(20, null), byAccuracy)).toBe(0)
  })
})
