import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseRelease, type WeightedRelease } from '../../../src/core/rollout/sticky-choice.ts'

const KEYS = Array.from({ length: 20_000 }, (_, index) => `4f1c9a-${index.toString(36)}`)

function shares(releases: readonly WeightedRelease[], keys: readonly string[] = KEYS): Map<string, number> {
  const counts = new Map(releases.map(({ release }) => [release, 0]))
  for (const key of keys) {
    const chosen = chooseRelease(key, releases)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  return counts
}

describe('the choice of a release', () => {
  it('gives each its share of keys that count upwards, as request ids do', () => {
    for (const weights of [
      [99, 1],
      [90, 10],
      [50, 50],
      [40, 30, 20, 10],
    ]) {
      const releases = weights.map((weight, index) => ({ release: `00ff${index}`, weight }))
      for (const [release, count] of shares(releases)) {
        const expected = (KEYS.length * (releases.find((one) => one.release === release)?.weight ?? 0)) / 100
        // Four standard deviations of a binomial count.
        expect(Math.abs(count - expected), `${weights} ${release}`).toBeLessThan(4 * Math.sqrt(expected))
      }
    }
  })

  it('is the same for the same key, and gives nothing to a weight of 0', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 5 }), (key, weights) => {
        const releases = weights.map((weight, index) => ({ release: `r${index}`, weight }))
        const chosen = chooseRelease(key, releases)
        expect(chooseRelease(key, releases)).toBe(chosen)
        if (weights.some((weight) => weight > 0)) expect(weights[Number(chosen.slice(1))]).toBeGreaterThan(0)
      }),
    )
  })

  it('moves keys only to the release whose weight grows', () => {
    const before = [
      { release: 'stable', weight: 70 },
      { release: 'split', weight: 20 },
      { release: 'canary', weight: 10 },
    ]
    const after = [{ release: 'stable', weight: 40 }, before[1] as WeightedRelease, { release: 'canary', weight: 40 }]
    for (const key of KEYS) {
      const [old, now] = [chooseRelease(key, before), chooseRelease(key, after)]
      // The stable one gives away what the canary gets; nobody on the canary leaves it, and nobody comes to the stable one.
      if (old === 'canary') expect(now).toBe('canary')
      if (now === 'stable') expect(old).toBe('stable')
    }
  })
})
