import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SearchUnit, searchMixedPrecision } from '../../../src/core/quantization/mixed-precision.ts'

const unit = (node: string, noise: number, gainMs: number | null = 1): SearchUnit => ({ node, weighted: true, noise, gainMs })

/** Every quantized unit costs its noise in accuracy; noise adds up. */
function additive(units: readonly SearchUnit[]) {
  const tried: string[][] = []
  const accuracyWith = async (left: ReadonlySet<string>): Promise<number> => {
    tried.push([...left])
    return 1 - units.reduce((sum, { node, noise }) => sum + (left.has(node) ? 0 : noise), 0)
  }
  return { accuracyWith, tried }
}

describe('searchMixedPrecision', () => {
  it('leaves the one bad unit in float', async () => {
    const units = [unit('a', 0.001), unit('b', 0.2), unit('c', 0.001), unit('d', 0.001)]
    const { accuracyWith } = additive(units)
    const found = await searchMixedPrecision({ units, required: 0.98, accuracyWith, maxTrials: 20 })
    expect(found).toMatchObject({ left: ['b'], met: true })
    expect(found.accuracy).toBeCloseTo(0.997, 6)
  })

  it('gives up the unit that saves less time when two are as noisy', async () => {
    const units = [unit('slow', 0.05, 0.1), unit('fast', 0.05, 5), unit('other', 0)]
    const { accuracyWith } = additive(units)
    expect((await searchMixedPrecision({ units, required: 0.95, accuracyWith, maxTrials: 20 })).left).toEqual(['slow'])
  })

  it('quantizes again what was left in float without need', async () => {
    // "wide" has the most noise for its time, yet "late" alone decides the accuracy.
    const units = [unit('wide', 0.02, 0.01), unit('late', 0.05, 1), unit('rest', 0, 1), unit('more', 0, 1)]
    const { accuracyWith } = additive(units)
    expect((await searchMixedPrecision({ units, required: 0.975, accuracyWith, maxTrials: 20 })).left).toEqual(['late'])
  })

  it('says so when no build is good enough, with the best one it saw', async () => {
    const units = [unit('a', 0.3), unit('b', 0.2)]
    const { accuracyWith } = additive(units)
    const found = await searchMixedPrecision({ units, required: 0.99, accuracyWith, maxTrials: 20 })
    expect(found).toMatchObject({ met: false, left: ['a'] })
    expect(found.accuracy).toBeCloseTo(0.8, 6)
  })

  it('keeps one unit with weights in 8 bits: without any there is no build', async () => {
    const units = [unit('a', 0.3), { ...unit('sum', 0.2), weighted: false }, { ...unit('pool', 0.1), weighted: false }]
    const { accuracyWith, tried } = additive(units)
    expect(await searchMixedPrecision({ units, required: 0.99, accuracyWith, maxTrials: 20 })).toMatchObject({ met: false, left: [] })
    expect(tried).toEqual([[]])
  })

  it('returns only what it measured, within its trials', async () => {
    const units = fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(
        units,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 40 }),
        async (noises, required, maxTrials) => {
          const list = noises.map((noise, index) => unit(`n${index}`, noise, index % 3))
          const { accuracyWith, tried } = additive(list)
          const found = await searchMixedPrecision({ units: list, required, accuracyWith, maxTrials })
          expect(tried.map((left) => [...left].sort().join())).toContain([...found.left].sort().join())
          expect(found.accuracy).toBe(await accuracyWith(new Set(found.left)))
          expect(found.met).toBe(found.accuracy >= required)
          expect(found.trials).toBeLessThanOrEqual(maxTrials)
          expect(found.left.length).toBeLessThan(Math.max(1, list.length) + (list.length === 1 ? 1 : 0))
        },
      ),
    )
  })
})
