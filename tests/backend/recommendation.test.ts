import { describe, expect, it } from 'vitest'
import { recommend } from '../../src/backend/use-cases/recommendation.ts'
import type { ComparisonRow } from '../../src/contract/measurement.ts'
import type { Model } from '../../src/contract/model.ts'
import { comparison, ids, models, row } from './report-fixture.ts'

type Changes = Partial<ComparisonRow>
const faster = (estimate: number): Changes => ({ speedup: { estimate, ci95: [estimate, estimate], verdict: 'faster', blocks: 10 } })
const same: Changes = { speedup: { estimate: 1, ci95: [0.98, 1.02], verdict: 'no difference shown', blocks: 10 } }
const slower: Changes = { speedup: { estimate: 0.8, ci95: [0.7, 0.9], verdict: 'slower', blocks: 10 } }
const lost = (difference: number, pValue: number): Changes => ({
  accuracyDifference: { difference, onlyBaseline: 60, onlyBuild: 10, pValue, agreement: 0.9 },
})
const unmeasured: Changes = { metrics: null, accuracyDifference: null }

/** Two builds against the fixture's baseline, which has 1.75 MB. */
function choose(first: Changes, second: Changes, builds: readonly Model[] = []) {
  const { rows, ...rest } = comparison()
  const [baseline] = rows
  if (!baseline) throw new Error('the fixture has a baseline')
  return recommend({ ...rest, rows: [baseline, row(ids.int8, 'first', 1, first), row(ids.pruned, 'second', 1, second)] }, builds)
}

/** A build whose outputs are that far from its source's. */
function buildAt(id: string, sqnrDb: number | null): Model {
  const build = models()[1]
  if (!build?.summary) throw new Error('the fixture has a build')
  return { ...build, id, summary: { ...build.summary, fidelity: { ...build.summary.fidelity, sqnrDb } } }
}

describe('recommend', () => {
  it('takes the fastest that kept its accuracy', () => {
    const found = choose({ ...faster(1.5) }, { ...faster(2.5) })
    expect(found?.modelId).toBe(ids.pruned)
    expect(found?.reason).toBe(
      'The fastest of the builds that kept their accuracy: 2.50× the speed of fashion-cnn, accuracy 91.20 % (−0.10 points, no difference shown), 448 kB instead of 1.75 MB.',
    )
    expect(choose(faster(1.5), { ...faster(2.5), ...lost(-0.05, 1e-9) })?.modelId).toBe(ids.int8)
  })

  it('tolerates one point, also a significant one, and a larger loss that is not shown', () => {
    expect(choose(faster(1.5), { ...faster(2.5), ...lost(-0.01, 1e-9) })?.modelId).toBe(ids.pruned)
    expect(choose(faster(1.5), { ...faster(2.5), ...lost(-0.02, 0.4) })?.modelId).toBe(ids.pruned)
    expect(choose(faster(1.5), { ...faster(2.5), ...lost(-0.011, 0.01) })?.modelId).toBe(ids.int8)
  })

  it('falls back on the smallest that is about as fast', () => {
    const found = choose({ ...same, sizeBytes: 900_000 }, { ...slower, sizeBytes: 100_000 })
    expect(found).toMatchObject({
      modelId: ids.int8,
      reason: expect.stringMatching(/^No build was shown to be faster.*900 kB instead of 1.75 MB/),
    })
    expect(choose({ ...same, sizeBytes: 900_000 }, { ...same, sizeBytes: 800_000 })?.modelId).toBe(ids.pruned)
    // Too few blocks to call it slower, and yet it measured slower by far.
    const unsure: Changes = { speedup: { estimate: 0.8, ci95: [0.4, 1.6], verdict: 'no difference shown', blocks: 2 } }
    expect(choose({ ...same, sizeBytes: 900_000 }, { ...unsure, sizeBytes: 100_000 })?.modelId).toBe(ids.int8)
  })

  it('says none when nothing is better', () => {
    expect(choose(slower, { ...same, sizeBytes: 1_750_000 })).toBeNull()
    expect(choose({ ...faster(3), ...lost(-0.3, 1e-12) }, slower)).toBeNull()
  })

  it('goes by the outputs where accuracy was not measured, and trusts no build it knows nothing of', () => {
    const both = [
      { ...faster(1.5), ...unmeasured },
      { ...faster(2.5), ...unmeasured },
    ] as const
    expect(choose(...both)).toBeNull()
    const found = choose(...both, [buildAt(ids.int8, 31), buildAt(ids.pruned, 8)])
    expect(found).toMatchObject({ modelId: ids.int8, reason: expect.stringContaining('accuracy was not measured (outputs at 31.0 dB') })
    expect(choose(...both, [buildAt(ids.int8, 31), buildAt(ids.pruned, null)])?.modelId).toBe(ids.pruned)
  })
})
