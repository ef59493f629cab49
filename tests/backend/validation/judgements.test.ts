import { describe, expect, it } from 'vitest'
import { checkAccuracy } from '../../../src/backend/validation/accuracy-check.ts'
import { latencyCheck, loadChecks, loadOf, noLoadChecks } from '../../../src/backend/validation/load-checks.ts'
import { failureOf } from '../../../src/backend/validation/validation-check.ts'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import type { Evaluation } from '../../../src/contract/evaluation.ts'
import type { LoadResult } from '../../../src/contract/load.ts'

const load = (changes: Partial<LoadResult> = {}): LoadResult => ({
  requests: 1000,
  answered: 1000,
  errors: [],
  firstError: null,
  unanswered: 0,
  elapsedMs: 10_000,
  achievedPerSecond: 100,
  connections: 4,
  longestQueue: 3,
  latencyMs: { p50: 2, p90: 5, p95: 20, p99: 50, max: 70, mean: 3 },
  overloaded: false,
  generator: { lateMs: { p50: 0, p90: 0, p95: 0, p99: 1, max: 1, mean: 0 }, limited: false },
  server: { rssBytes: 90e6, peakRssBytes: 500e6, cpuMs: 5 },
  ...changes,
})
const spread = load().latencyMs
const verdicts = (found: LoadResult) => loadChecks(found, 100).map(({ passed }) => passed)

describe('load checks', () => {
  it('pass at their limits and fail beyond', () => {
    expect(verdicts(load())).toEqual([true, true, true])
    expect(verdicts(load({ latencyMs: spread && { ...spread, p95: 20.1 } }))).toEqual([false, true, true])
    expect(verdicts(load({ latencyMs: spread && { ...spread, p99: 50.1 } }))).toEqual([false, true, true])
    expect(verdicts(load({ overloaded: true }))).toEqual([false, true, true])
    expect(verdicts(load({ achievedPerSecond: 89 }))).toEqual([false, true, true])
    expect(verdicts(load({ server: { rssBytes: 1, peakRssBytes: 500e6 + 1, cpuMs: 1 } }))).toEqual([true, true, false])
    expect(verdicts(load({ server: null }))).toEqual([true, true, null])
    // One in a thousand is one too many.
    expect(verdicts(load({ answered: 999 }))[1]).toBe(false)
    expect(verdicts(load({ requests: 1001 }))[1]).toBe(true)
    expect(verdicts(load({ answered: 0, latencyMs: null }))).toEqual([false, false, true])
  })

  it('say what happened', () => {
    const [latency, errors] = loadChecks(
      load({
        answered: 990,
        errors: [
          { kind: 'status 503', count: 7 },
          { kind: 'ECONNRESET', count: 3 },
        ],
        firstError: '503 {}',
        generator: { lateMs: null, limited: true },
      }),
      100,
    )
    expect(errors?.measured).toBe('10 of 1,000 (status 503: 7, ECONNRESET: 3; the first: 503 {})')
    expect(latency?.measured).toContain('the load generator itself was late')
    expect(noLoadChecks('nothing to send', 100).map(({ passed, measured }) => [passed, measured])).toEqual(
      new Array(3).fill([null, 'not checked: nothing to send']),
    )
    expect(latencyCheck(load(), 20)).toMatchObject({ passed: true })
    expect(latencyCheck(load(), 19.9)).toMatchObject({ passed: false, measured: 'p95 20.0 ms, median 2.00 ms' })
    expect(latencyCheck(load({ latencyMs: null, firstError: '401 {}' }), 20)).toMatchObject({
      passed: false,
      measured: expect.stringContaining('401'),
    })
    expect(loadOf(load({ answered: 998 }), { requestsPerSecond: 100, seconds: 10 })).toMatchObject({
      errors: 2,
      requests: 1000,
      latencyMs: spread,
    })
    expect(loadOf(load({ latencyMs: null }), { requestsPerSecond: 100, seconds: 10 })).toBeNull()
  })
})

describe('accuracy check', () => {
  const where = { dataset: 'test', device: 'pi5', maxDrop: 0.01 }
  const classified = { task: 'classification', samples: 10 } as Evaluation
  // Samples 0 to 7 are right, 8 and 9 are not.
  const perSample = { labels: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3, 0, 1), predictions: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3, 3, 3) }
  const answers = (changes: object) => ({
    task: 'classification' as const,
    reason: null,
    accuracy: 1,
    r2: null,
    rmse: null,
    indices: [0, 2, 4, 6],
    bodies: [],
    ...changes,
  })

  it('compares with what was measured on the same samples', () => {
    expect(checkAccuracy(answers({}), classified, perSample, where)).toMatchObject({
      check: { passed: true, measured: 'accuracy 100.00 % on 4 samples of test, expected 100.00 % (measured on pi5)' },
      accuracy: { samples: 4, measured: 1, expected: 1, metric: 'accuracy' },
    })
    const all = { indices: Array.from({ length: 10 }, (_, index) => index) }
    expect(checkAccuracy(answers({ ...all, accuracy: 0.79 }), classified, perSample, where).check.passed).toBe(true)
    expect(checkAccuracy(answers({ ...all, accuracy: 0.78 }), classified, perSample, where).check.passed).toBe(false)
    // Better than expected is no drop.
    expect(checkAccuracy(answers({ ...all, accuracy: 0.9 }), classified, perSample, where).check.passed).toBe(true)
  })

  it('takes R² for values to regress', () => {
    const regressed = { task: 'regression', samples: 4 } as Evaluation
    const values = { actual: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), predicted: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
    const found = checkAccuracy(answers({ task: 'regression', accuracy: null, r2: 0.985, indices: [0, 1, 3] }), regressed, values, where)
    expect(found).toMatchObject({
      check: { passed: false, measured: expect.stringContaining('R² 0.9850') },
      accuracy: { expected: 1, metric: 'R²' },
    })
  })

  it('says why there is nothing to compare', () => {
    const none = [
      checkAccuracy(answers({ task: null, reason: 'test has neither labels nor targets' }), classified, perSample, where),
      checkAccuracy(answers({ task: 'regression', r2: 1 }), classified, perSample, where),
      checkAccuracy(answers({}), classified, {}, where),
    ]
    for (const { check, accuracy } of none) expect([check.passed, accuracy]).toEqual([null, null])
    expect(none[0]?.check.measured).toBe('not checked: test has neither labels nor targets')
  })
})

describe('failureOf', () => {
  it('takes what the service did wrong for a failed check, and throws everything else', () => {
    expect(failureOf(new EdgesmithError('SERVICE_REFUSED', 'it answered 500'))).toBe('it answered 500')
    for (const error of [new EdgesmithError('JOB_CANCELLED', 'x'), new EdgesmithError('CONNECTION_LOST', 'x'), new TypeError('bug')]) {
      expect(() => failureOf(error)).toThrow(error)
    }
  })
})
