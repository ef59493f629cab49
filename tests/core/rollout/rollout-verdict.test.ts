import { describe, expect, it } from 'vitest'
import { p95Ratio } from '../../../src/core/rollout/p95-ratio.ts'
import { canaryStep, isTimeToLook, watchStep } from '../../../src/core/rollout/rollout-step.ts'
import { judgeRollout, type ReleaseWindow, type RolloutLimits } from '../../../src/core/rollout/rollout-verdict.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

const limits: RolloutLimits = { maxErrorRate: 0.01, maxP95Ratio: 1.5, maxDivergence: null, minRequests: 50 }
const none = { compared: 0, differing: 0 }

/** Latencies with a long tail, as those of services are: exp of a normal number. */
function latencies(count: number, factor: number, seed: number): Float32Array {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
  return Float32Array.from({ length: count }, () => factor * Math.exp(0.5 * normal()))
}

function window(requests: number, changes: Partial<ReleaseWindow> = {}): ReleaseWindow {
  return { requests, errors: 0, refused: 0, latenciesMs: latencies(Math.min(requests, 1024), 1, requests), ...changes }
}

describe('what is known of a release that is tried', () => {
  it('is nothing before enough of its requests were answered', () => {
    const verdict = judgeRollout(window(49, { errors: 49 }), window(1000), none, limits)
    expect(verdict).toMatchObject({ broken: [], doubtful: [], waitingFor: '1 more of 50 requests' })
  })

  it('breaks the limit of errors beyond doubt only by its interval, and in doubt by its share', () => {
    // Wilson's 95 % interval of 1 of 50 is 0.4 % to 10.5 %, of 5 of 50 4.3 % to 21.4 %.
    expect(judgeRollout(window(50, { errors: 1 }), null, none, limits)).toMatchObject({
      broken: [],
      doubtful: ['1 of 50 requests failed, at most 1 % may'],
    })
    expect(judgeRollout(window(50, { errors: 5 }), null, none, limits).broken).toEqual(['5 of 50 requests failed, at most 1 % may'])
    expect(judgeRollout(window(1000, { errors: 10 }), null, none, limits)).toMatchObject({ broken: [], doubtful: [] })
  })

  it('breaks the limit of latency when the whole interval of the ratio lies above it', () => {
    const slow = window(400, { latenciesMs: latencies(400, 3, 8) })
    expect(judgeRollout(slow, window(400), none, limits).broken).toEqual([expect.stringMatching(/^p95 .* at most 1\.5 is allowed$/)])
    const bit = window(400, { latenciesMs: latencies(400, 1.6, 8) })
    expect(judgeRollout(bit, window(400), none, limits)).toMatchObject({ broken: [], doubtful: [] })
    expect(judgeRollout(slow, window(400), none, { ...limits, maxP95Ratio: null }).broken).toEqual([])
    expect(judgeRollout(slow, null, none, limits).broken).toEqual([])
    const few = judgeRollout(window(55, { latenciesMs: latencies(55, 100, 1) }), window(400), none, limits)
    expect(few).toMatchObject({ broken: [], found: expect.stringContaining('too few answers to compare latencies') })
  })

  it('breaks the limit of divergence where there is one', () => {
    const answers = { compared: 100, differing: 30 }
    expect(judgeRollout(window(100), window(100), answers, limits)).toMatchObject({
      broken: [],
      doubtful: [],
      found: expect.stringContaining('30 of 100 compared answers differ'),
    })
    const strict = { ...limits, maxDivergence: 0.1 }
    expect(judgeRollout(window(100), window(100), answers, strict).broken).toEqual(['30 of 100 compared answers differ, at most 10 % may'])
    expect(judgeRollout(window(100), window(100), { compared: 100, differing: 12 }, strict)).toMatchObject({
      broken: [],
      doubtful: [expect.stringContaining('12 of 100')],
    })
    expect(judgeRollout(window(100), window(100), { compared: 3, differing: 3 }, strict).waitingFor).toBe('answers to compare, 3 so far')
  })

  it('holds it against a release when it refuses what the other one takes', () => {
    expect(judgeRollout(window(60, { refused: 60 }), window(60), none, limits).broken).toEqual([
      '60 of 60 requests were refused, 0 of 60 by the other release',
    ])
    // Clients that send nonsense send it to both.
    expect(judgeRollout(window(60, { refused: 20 }), window(60, { refused: 18 }), none, limits).broken).toEqual([])
    expect(judgeRollout(window(60, { refused: 60 }), null, none, limits).broken).toHaveLength(1)
  })
})

describe('the interval of a ratio of two p95', () => {
  it('holds the true ratio in 95 % of cases, as near as 400 cases tell', () => {
    let held = 0
    for (let round = 0; round < 400; round++) {
      const found = p95Ratio(latencies(300, 2, 2 * round + 1), latencies(300, 1, 2 * round + 2))
      if (found && found.lower <= 2 && found.upper >= 2) held++
    }
    // Four standard deviations below 95 %.
    expect(held / 400).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / 400))
  })

  it('needs 59 samples of each', () => {
    expect(p95Ratio(latencies(58, 1, 1), latencies(100, 1, 2))).toBeNull()
    expect(p95Ratio(latencies(59, 1, 1), latencies(59, 1, 2))).not.toBeNull()
    expect(p95Ratio(new Float32Array(100), new Float32Array(100))).toMatchObject({ ratio: 1, lower: 1, upper: 1 })
  })
})

describe('the decision', () => {
  const fine = { broken: [], doubtful: [], waitingFor: null, found: 'fine' }

  it('on a canary waits for time and for requests', () => {
    expect(canaryStep(fine, 9.9, 10)).toEqual({ kind: 'wait', text: 'the end of the step' })
    expect(canaryStep(fine, 10, 10)).toEqual({ kind: 'go-on', text: 'fine' })
    expect(canaryStep({ ...fine, waitingFor: '20 of 50 requests' }, 1000, 10)).toEqual({ kind: 'wait', text: '20 of 50 requests' })
  })

  it('takes back at once what is broken, and at the end what is doubtful', () => {
    const doubtful = { ...fine, doubtful: ['errors'] }
    expect(canaryStep({ ...fine, broken: ['a', 'b'] }, 1, 10)).toEqual({ kind: 'take-back', text: 'a; b' })
    expect(canaryStep(doubtful, 1, 10).kind).toBe('wait')
    expect(canaryStep(doubtful, 10, 10)).toEqual({ kind: 'take-back', text: 'errors' })
    expect(watchStep({ ...fine, broken: ['a'] }, 1, 10).kind).toBe('take-back')
    expect(watchStep(doubtful, 1, 10).kind).toBe('wait')
    expect(watchStep(doubtful, 10, 10).kind).toBe('take-back')
  })

  it('on a watched release ends with its time, also when nobody asked it', () => {
    const quiet = judgeRollout(window(0), null, none, limits)
    expect(watchStep(quiet, 5, 10).kind).toBe('wait')
    expect(watchStep(quiet, 10, 10)).toEqual({
      kind: 'go-on',
      text: '0 requests, 0 failed; too little to judge, missing: 50 more of 50 requests',
    })
  })

  it('is looked for at doublings only', () => {
    const looks: number[] = []
    for (let requests = 0, looked = 0; requests < 1000; requests++) {
      if (!isTimeToLook(requests, looked, 50)) continue
      looked = requests
      looks.push(requests)
    }
    expect(looks).toEqual([50, 100, 200, 400, 800])
  })
})
