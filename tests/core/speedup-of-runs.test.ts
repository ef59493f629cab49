import { describe, expect, it } from 'vitest'
import { type RandomSource, seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { beyondNoise, PIECES, type Speedup, speedupOfSeparateRuns } from '../../src/core/statistics/speedup.ts'

/** A run whose level wanders, as a machine's does: an autoregressive factor on every sample. */
function wanderingRun(random: RandomSource, count: number, typicalMs: number): Float32Array {
  let level = 0
  return Float32Array.from({ length: count }, () => {
    level = 0.9 * level + 0.02 * (random.uniform() * 2 - 1)
    return typicalMs * Math.exp(level + 0.05 * random.uniform())
  })
}

describe('speedupOfSeparateRuns', () => {
  it('is the exact ratio of runs without variation', () => {
    const run = (ms: number) => new Float32Array(200).fill(ms)
    expect(speedupOfSeparateRuns(run(3), run(2), 1)).toEqual({
      estimate: expect.closeTo(1.5, 12),
      ci95: [expect.closeTo(1.5, 12), expect.closeTo(1.5, 12)],
      verdict: 'faster',
      blocks: PIECES,
    })
    expect(speedupOfSeparateRuns(run(2), run(3), 1).verdict).toBe('slower')
  })

  it('calls nothing under 5 % a difference: separate processes differ by that much', () => {
    const run = (ms: number) => new Float32Array(200).fill(ms)
    expect(speedupOfSeparateRuns(run(1.04), run(1), 1).verdict).toBe('no difference shown')
    expect(speedupOfSeparateRuns(run(1.06), run(1), 1).verdict).toBe('faster')
  })

  it('holds its verdict for equal runs and finds one that is 15 % slower, in all of 40 repetitions', () => {
    const random = seededRandom(11)
    let wrong = 0
    let found = 0
    let covered = 0
    for (let repetition = 0; repetition < 40; repetition++) {
      const baseline = wanderingRun(random, 1000, 2)
      const same = speedupOfSeparateRuns(baseline, wanderingRun(random, 1000, 2), repetition)
      if (same.verdict !== 'no difference shown') wrong++
      if (same.ci95[0] <= 1 && same.ci95[1] >= 1) covered++
      if (speedupOfSeparateRuns(baseline, wanderingRun(random, 1000, 2.3), repetition).verdict === 'slower') found++
    }
    expect(wrong).toBe(0)
    expect(found).toBe(40)
    // 95 % would be 38; a process with a memory of ten samples makes pieces of fifty nearly independent.
    expect(covered).toBeGreaterThanOrEqual(34)
  })

  it('refuses runs that are too short to cut', () => {
    expect(() => speedupOfSeparateRuns(new Float32Array(39).fill(1), new Float32Array(100).fill(1), 1)).toThrow(RangeError)
  })
})

describe('beyondNoise', () => {
  const faster: Speedup = { estimate: 1.05, ci95: [1.03, 1.07], verdict: 'faster', blocks: 10 }
  const floor = (low: number, high: number): Speedup => ({
    estimate: (low + high) / 2,
    ci95: [low, high],
    verdict: 'no difference shown',
    blocks: 10,
  })

  it('takes a verdict back that lies within what the baseline shows against itself', () => {
    expect(beyondNoise(faster, floor(0.9, 1.1))).toEqual({ ...faster, verdict: 'no difference shown' })
    expect(beyondNoise(faster, floor(0.99, 1.01))).toBe(faster)
  })

  it('leaves everything as it is without a control', () => {
    expect(beyondNoise(faster, null)).toBe(faster)
  })
})
