import type { ReleaseWindow } from '../../../core/rollout/rollout-verdict.ts'
import { percentileOfSorted, sortedAscending } from '../../../core/statistics/percentiles.ts'
import { ServiceMetrics } from '../metrics/service-metrics.ts'

/** Latencies that percentiles are taken from: the last ones, enough for a p95 within a few percent. */
const WINDOW = 1024

/** Latencies of the last 1,024 answered predictions, milliseconds; null before the first. */
export interface LatencyPercentiles {
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** The last latencies. */
export class LatencyWindow {
  readonly #values = new Float32Array(WINDOW)
  #count = 0

  /** Latencies so far, those that fell out of the window included. */
  get count(): number {
    return this.#count
  }

  add(latencyMs: number): void {
    this.#values[this.#count % WINDOW] = latencyMs
    this.#count++
  }

  /** Those since there were so many, as far as they are still there; in no order. */
  since(count: number): Float32Array {
    const kept = Math.min(this.#count - count, WINDOW)
    return Float32Array.from({ length: kept }, (_, back) => this.#values[(this.#count - 1 - back) % WINDOW] as number)
  }

  percentiles(): LatencyPercentiles {
    const sorted = sortedAscending(this.#values.subarray(0, Math.min(this.#count, WINDOW)))
    const percentile = (percent: number) => (sorted.length > 0 ? percentileOfSorted(sorted, percent) : null)
    return { p50Ms: percentile(50), p95Ms: percentile(95), p99Ms: percentile(99) }
  }
}

/** A moment in the life of a version, to look back to. */
export interface StatisticsMark {
  readonly requests: number
  readonly errors: number
  readonly refused: number
  readonly successes: number
}

/** Counts what one version of a model does. */
export class VersionStatistics {
  readonly metrics = new ServiceMetrics()
  readonly latencies = new LatencyWindow()
  #requests = 0
  #errors = 0
  #refused = 0

  /** Prediction requests that it answered, in whatever way. */
  get requests(): number {
    return this.#requests
  }

  /** Of those, the ones that failed through the server's fault. */
  get errors(): number {
    return this.#errors
  }

  /** A prediction request that was given to it was answered with this status, so long after its header came. */
  answered(status: number, durationMs: number): void {
    this.metrics.answered(status, true, durationMs)
    this.#requests++
    if (status >= 500) this.#errors++
    else if (status >= 400) this.#refused++
  }

  /** A prediction request succeeded. */
  predicted(latencyMs: number): void {
    this.latencies.add(latencyMs)
  }

  mark(): StatisticsMark {
    return { requests: this.#requests, errors: this.#errors, refused: this.#refused, successes: this.latencies.count }
  }

  /** What happened since it was loaded. */
  sinceLoaded(): ReleaseWindow {
    return this.since({ requests: 0, errors: 0, refused: 0, successes: 0 })
  }

  /** What happened since then. */
  since({ requests, errors, refused, successes }: StatisticsMark): ReleaseWindow {
    return {
      requests: this.#requests - requests,
      errors: this.#errors - errors,
      refused: this.#refused - refused,
      latenciesMs: this.latencies.since(successes),
    }
  }
}
