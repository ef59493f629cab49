import { z } from 'zod'
import { formatBytes, formatMs, formatPoints, formatRatio } from '../backend/report/quantities.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { LatencyStatistics } from '../contract/measurement.ts'
import { setting } from './option.ts'

/** One limit checked against one model. */
export interface GateResult {
  readonly gate: 'max-accuracy-drop' | 'max-latency-ms' | 'min-speedup' | 'max-size-bytes'
  readonly model: string
  readonly limit: number
  /** What was measured; null when it was not. */
  readonly found: number | null
  readonly passed: boolean
}

/** The options that set limits. */
export const gateOptions = {
  'max-accuracy-drop': setting('X', z.number().min(0).max(1), 'exit 1 when accuracy is more than X below the baseline (0.01 = one point)'),
  'max-latency-ms': setting('MS', z.number().positive(), 'exit 1 when latency is above MS (p95; p50 with fewer than 59 samples)'),
  'min-speedup': setting('X', z.number().positive(), 'exit 1 when the speed-up over the baseline is below X'),
  'max-size-bytes': setting('N', z.int().positive(), 'exit 1 when the file is larger than N bytes'),
} as const

/** Limits as parsed; those not given are undefined. */
export type GateLimits = { readonly [K in GateResult['gate']]?: number | undefined }

/** What the limits are checked against; a value that a command did not measure is null. */
export interface GateSubject {
  readonly model: string
  readonly sizeBytes: number
  /** Baseline minus model. */
  readonly accuracyDrop: number | null
  readonly latencyMs: LatencyStatistics | null
  readonly speedup: number | null
}

/** Checks every given limit against a model. A limit on something that was not measured is missed, never passed over. */
export function checkGates(limits: GateLimits, subject: GateSubject): GateResult[] {
  const { model, latencyMs } = subject
  const results: GateResult[] = []
  const check = (gate: GateResult['gate'], found: number | null, passes: (found: number, limit: number) => boolean): void => {
    const limit = limits[gate]
    if (limit !== undefined) results.push({ gate, model, limit, found, passed: found !== null && passes(found, limit) })
  }
  const atMost = (found: number, limit: number): boolean => found <= limit
  // Accuracies are counts divided by the same number: a difference of exactly the limit must not fail over the last bit of a float.
  check('max-accuracy-drop', subject.accuracyDrop, (found, limit) => found <= limit + 1e-9)
  check('max-latency-ms', latencyMs && (latencyMs.p95 ?? latencyMs.p50), atMost)
  check('min-speedup', subject.speedup, (found, limit) => found >= limit)
  check('max-size-bytes', subject.sizeBytes, atMost)
  return results
}

/** One line for each limit: `ok` or `MISSED`. */
export function gateLines(results: readonly GateResult[]): string {
  return results.map((result) => `${result.passed ? 'ok    ' : 'MISSED'}  ${describeGate(result)}`).join('\n')
}

/** The error of the missed limits, undefined when all were met. */
export function gateFailure(results: readonly GateResult[]): EdgesmithError | undefined {
  const missed = results.filter(({ passed }) => !passed)
  if (missed.length === 0) return undefined
  return new EdgesmithError('GATE_FAILED', `${missed.length} of ${results.length} limits missed: ${missed.map(describeGate).join('; ')}`, {
    hint: 'The results above are complete and kept. Choose another build or change the limit.',
    details: { missed },
  })
}

function describeGate({ gate, model, limit, found }: GateResult): string {
  const show = {
    'max-accuracy-drop': (value: number) => formatPoints(value).replace('+', ''),
    'max-latency-ms': formatMs,
    'min-speedup': formatRatio,
    'max-size-bytes': formatBytes,
  }[gate]
  const words = { 'max-accuracy-drop': 'accuracy drop', 'max-latency-ms': 'latency', 'min-speedup': 'speed-up', 'max-size-bytes': 'size' }[
    gate
  ]
  const bound = gate === 'min-speedup' ? 'at least' : 'at most'
  return `${model}: ${words} ${found === null ? 'not measured' : show(found)}, ${bound} ${show(limit)}`
}
