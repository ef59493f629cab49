import { describe, expect, it } from 'vitest'
import { checkGates, type GateSubject, gateFailure, gateLines } from '../../src/cli/gates.ts'

const subject: GateSubject = {
  model: 'small',
  sizeBytes: 448_000,
  accuracyDrop: 0.01,
  latencyMs: { mean: 1, std: 0.1, min: 0.9, max: 2, p50: 1, p90: 1.2, p95: 1.5, p99: null, p999: null, ci: {} },
  speedup: 2.15,
}

describe('checkGates', () => {
  it('passes at the limit itself and fails just beyond', () => {
    const met = { 'max-accuracy-drop': 0.01, 'max-latency-ms': 1.5, 'min-speedup': 2.15, 'max-size-bytes': 448_000 }
    expect(checkGates(met, subject).map(({ passed }) => passed)).toEqual([true, true, true, true])
    const missed = { 'max-accuracy-drop': 0.0099, 'max-latency-ms': 1.49, 'min-speedup': 2.16, 'max-size-bytes': 447_999 }
    expect(checkGates(missed, subject).map(({ passed }) => passed)).toEqual([false, false, false, false])
  })

  it('is not thrown by the last bit of a difference of two accuracies', () => {
    // 0.9 - 0.89 is 0.010000000000000009.
    expect(checkGates({ 'max-accuracy-drop': 0.01 }, { ...subject, accuracyDrop: 0.9 - 0.89 })[0]?.passed).toBe(true)
  })

  it('takes the median where the samples do not support a p95', () => {
    const few = { ...subject, latencyMs: subject.latencyMs && { ...subject.latencyMs, p95: null } }
    expect(checkGates({ 'max-latency-ms': 1.2 }, few)[0]).toMatchObject({ found: 1, passed: true })
  })

  it('counts what was not measured as missed', () => {
    const [gate] = checkGates({ 'max-accuracy-drop': 0.5 }, { ...subject, accuracyDrop: null })
    expect(gate).toMatchObject({ found: null, passed: false })
    expect(gateLines(gate ? [gate] : [])).toBe('MISSED  small: accuracy drop not measured, at most 50.00 points')
  })

  it('makes one error of all that were missed, none when all were met', () => {
    const results = checkGates({ 'min-speedup': 3, 'max-size-bytes': 500_000 }, subject)
    expect(gateFailure(results)).toMatchObject({
      code: 'GATE_FAILED',
      message: '1 of 2 limits missed: small: speed-up 2.15×, at least 3.00×',
    })
    expect(gateFailure(results.filter(({ passed }) => passed))).toBeUndefined()
    expect(checkGates({}, subject)).toEqual([])
  })
})
