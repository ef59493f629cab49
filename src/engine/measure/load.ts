import type { JobReporter } from '../../contract/job.ts'
import type { LoadRequest, LoadResult } from '../../contract/load.ts'
import { servedStatsSchema } from '../../contract/served-model.ts'
import { evenArrivals } from '../../core/statistics/even-arrivals.ts'
import { endsBehind, keepsGrowing } from '../../core/statistics/overload.ts'
import { percentileOfSorted, sortedAscending } from '../../core/statistics/percentiles.ts'
import { poissonArrivals } from '../../core/statistics/poisson-arrivals.ts'
import { summarize } from '../../core/statistics/summary.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import type { HttpTarget } from './http-lanes.ts'
import { closedLoop, openLoop } from './http-loops.ts'
import { getJson, requestText } from './http-request.ts'
import { ARRIVAL_SEED, CATCH_UP_MS } from './in-process-scenarios.ts'
import { realPacer } from './pacing.ts'
import { MOST_SAMPLES } from './timed-runs.ts'

/** A generator that hands on one request in a hundred later than this is busy itself: its requests wait inside it. */
const LATE_P99_MS = 5

/**
 * An open loop against a service of this machine: requests become due at a stated rate whether earlier ones are answered or not, and
 * latency counts from the moment each was due. Says of itself whether it could keep the rate.
 *
 * @throws EdgesmithError `JOB_CANCELLED`
 */
export async function measureLoad(
  order: LoadRequest,
  { reporter, signal }: { readonly reporter: JobReporter; readonly signal: AbortSignal },
): Promise<LoadResult> {
  const { port, token, path, bodies, requestsPerSecond, seconds } = order
  const [first, ...others] = bodies.map((body) => Buffer.from(requestText({ port, token }, 'POST', path, body)))
  if (!first) throw new Error('a load has at least one body')
  const target: HttpTarget = { port, requests: [first, ...others], serviceMs: () => undefined }
  throwIfCancelled(signal)
  if (order.warmupRequests > 0) {
    const onTick = (done: number) => reporter.progress({ phase: 'warm-up', done, total: order.warmupRequests, unit: 'requests' })
    const enough = (sent: number) => sent >= order.warmupRequests
    await closedLoop(target, 1, enough, { now: () => performance.now(), onTick, signal })
  }
  const plannedMs = seconds * 1000
  const runs = await openLoop(target, {
    arrivals: order.arrivals === 'even' ? evenArrivals(requestsPerSecond) : poissonArrivals(requestsPerSecond, ARRIVAL_SEED),
    // The first request belongs to it however late it comes: no requests are no load.
    wanted: (index, dueMs) => index === 0 || (dueMs < plannedMs && index < MOST_SAMPLES),
    limitMs: plannedMs + CATCH_UP_MS,
    pacer: realPacer(true),
    onTick: (_, elapsedMs) =>
      reporter.progress({ phase: 'load test', done: Math.min(elapsedMs / 1000, seconds), total: seconds, unit: 's' }),
    signal,
  })
  const { latenciesMs, offsetsMs, lateMs, errors, unanswered } = runs
  const answered = latenciesMs.length
  const late = spread(lateMs)
  const stats = await getJson({ port, token }, '/stats', servedStatsSchema).catch(() => null)
  return {
    requests: answered + errors + unanswered,
    answered,
    errors: [...runs.errorKinds].map(([kind, count]) => ({ kind: kind.slice(0, 100), count })).slice(0, 100),
    firstError: runs.firstError?.slice(0, 1000) ?? null,
    unanswered,
    elapsedMs: runs.elapsedMs,
    achievedPerSecond: runs.elapsedMs > 0 ? (answered * 1000) / runs.elapsedMs : 0,
    connections: runs.connections,
    longestQueue: runs.longestQueue,
    latencyMs: spread(latenciesMs),
    overloaded: unanswered > 0 || keepsGrowing(latenciesMs) || endsBehind(latenciesMs, offsetsMs),
    generator: { lateMs: late, limited: late !== null && late.p99 > LATE_P99_MS },
    server: stats && { rssBytes: stats.rss_bytes, peakRssBytes: stats.peak_rss_bytes, cpuMs: stats.cpu_ms },
  }
}

function spread(valuesMs: Float32Array): LoadResult['latencyMs'] {
  if (valuesMs.length === 0) return null
  const sorted = sortedAscending(valuesMs)
  const at = (percent: number) => percentileOfSorted(sorted, percent)
  const { max, mean } = summarize(valuesMs)
  return { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max, mean }
}
