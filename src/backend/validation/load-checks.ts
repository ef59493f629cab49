import type { Validation } from '../../contract/deployment.ts'
import type { LoadResult } from '../../contract/load.ts'
import { formatBytes, formatCount, formatMs, formatPercent, formatSignificant } from '../report/quantities.ts'
import { check, notChecked, type ValidationCheck } from './validation-check.ts'

/** What a service must keep to under load: the numbers that edge deployments are asked for. */
const LIMITS = { p95Ms: 20, p99Ms: 50, errorShare: 0.001, memoryBytes: 500e6 } as const
/** A rate that is asked for and not kept by more than this shows a limit; random arrivals alone stay far below. */
const KEPT_SHARE = 0.9

/** Rate of single requests, whose latency has nothing to wait for. */
export const QUIET_REQUESTS_PER_SECOND = 20
/** 100 requests: what a p95 needs. */
export const QUIET_SECONDS = 5

/** p95 of single requests at a low rate. */
export function latencyCheck({ latencyMs, requests, firstError }: LoadResult, maxLatencyMs: number): ValidationCheck {
  const limit = `p95 at most ${formatMs(maxLatencyMs)} at ${QUIET_REQUESTS_PER_SECOND} requests a second`
  if (!latencyMs) return check('latency', false, `none of ${requests} requests was answered: ${firstError ?? 'no answer came'}`, limit)
  return check('latency', latencyMs.p95 <= maxLatencyMs, `p95 ${formatMs(latencyMs.p95)}, median ${formatMs(latencyMs.p50)}`, limit)
}

/** What a load test says: its latency, its errors, and the memory of the serving process. */
export function loadChecks(found: LoadResult, requestsPerSecond: number): ValidationCheck[] {
  return [loadCheck(found, requestsPerSecond), errorCheck(found), memoryCheck(found)]
}

/** The same three where no load could be made. */
export function noLoadChecks(reason: string, requestsPerSecond: number): ValidationCheck[] {
  return [
    notChecked('load', reason, loadLimit(requestsPerSecond)),
    notChecked('errors under load', reason, errorLimit),
    notChecked('memory', reason, memoryLimit),
  ]
}

function loadLimit(requestsPerSecond: number): string {
  return `p95 at most ${formatMs(LIMITS.p95Ms)}, p99 at most ${formatMs(LIMITS.p99Ms)} at ${formatSignificant(requestsPerSecond)} requests a second`
}
const errorLimit = `fewer than ${formatPercent(LIMITS.errorShare)} of requests`
const memoryLimit = `at most ${formatBytes(LIMITS.memoryBytes)}`

function loadCheck(
  { latencyMs, requests, achievedPerSecond, overloaded, generator }: LoadResult,
  requestsPerSecond: number,
): ValidationCheck {
  const limit = loadLimit(requestsPerSecond)
  if (!latencyMs) return check('load', false, `none of ${formatCount(requests)} requests was answered`, limit)
  const { p95, p99 } = latencyMs
  const kept = !overloaded && achievedPerSecond >= KEPT_SHARE * requestsPerSecond
  const measured = [
    `p95 ${formatMs(p95)}, p99 ${formatMs(p99)}, ${formatSignificant(achievedPerSecond)} requests a second`,
    ...(kept ? [] : ['more arrived than were answered']),
    ...(generator.limited ? ['the load generator itself was late: it shares the machine'] : []),
  ].join('; ')
  return check('load', kept && p95 <= LIMITS.p95Ms && p99 <= LIMITS.p99Ms, measured, limit)
}

function errorCheck({ requests, answered, errors, firstError }: LoadResult): ValidationCheck {
  const bad = requests - answered
  const kinds = errors.map(({ kind, count }) => `${kind}: ${formatCount(count)}`).join(', ')
  const measured = `${formatCount(bad)} of ${formatCount(requests)}${kinds === '' ? '' : ` (${kinds}; the first: ${firstError})`}`
  return check('errors under load', bad < LIMITS.errorShare * requests, measured, errorLimit)
}

function memoryCheck({ server }: LoadResult): ValidationCheck {
  if (!server) return notChecked('memory', 'the service does not tell its memory', memoryLimit)
  const { rssBytes, peakRssBytes } = server
  return check('memory', peakRssBytes <= LIMITS.memoryBytes, `${formatBytes(rssBytes)}, at most ${formatBytes(peakRssBytes)}`, memoryLimit)
}

/** A load for the record. */
export function loadOf(found: LoadResult, order: { readonly requestsPerSecond: number; readonly seconds: number }): Validation['load'] {
  if (!found.latencyMs) return null
  const { requests, answered, achievedPerSecond, connections, latencyMs } = found
  return { ...order, achievedPerSecond, connections, requests, errors: requests - answered, latencyMs }
}
