import { describe, expect, it } from 'vitest'
import { busyWarning, fewSamplesWarning, pooledWarnings } from '../../../src/engine/measure/measurement-warnings.ts'

describe('measurement warnings', () => {
  it('name the percentiles that are missing, and noise above a tenth', () => {
    expect(fewSamplesWarning(299)).toEqual([])
    expect(fewSamplesWarning(20)).toEqual(['20 runs are too few for p90 (needs 29), p95 (needs 59), p99 (needs 299).'])
    expect([...busyWarning(undefined, 'now'), ...busyWarning(0.1, 'now')]).toEqual([])
    expect(busyWarning(0.256, 'now')).toEqual(['Noisy: other programs used 26 % of the processors now (a calm machine stays below 10 %).'])
  })

  it('of several blocks say each thing once', () => {
    const block = (share: number) => ({
      samples: 100,
      warnings: [...busyWarning(share, 'before'), ...busyWarning(share / 2, 'during'), 'Another one.', ...fewSamplesWarning(100)],
    })
    expect(pooledWarnings([block(0.3), block(0.05), block(0.5)])).toEqual([
      'Noisy: other programs used up to 50 % of the processors in 2 of 3 blocks (a calm machine stays below 10 %).',
      'Another one.',
    ])
    expect(pooledWarnings([block(0)])).toEqual(['Another one.', '100 runs are too few for p99 (needs 299).'])
  })
})
