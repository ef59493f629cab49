import { percentileOfSorted, sortedAscending } from '../../core/statistics/percentiles.ts'
import { peakMemoryBytes } from '../../engine/memory.ts'
import { ServiceMetrics } from './metrics/service-metrics.ts'

/** Latencies that percentiles are taken from: the last ones, enough for a p95 within a few percent. */
const WINDOW = 1024

/** What `GET /stats` answers. */
export interface ServiceStats {
  /** Answered prediction requests, refused ones included. */
  readonly requests: number
  /** Samples predicted. */
  readonly predictions: number
  /** Requests of any kind answered with a status of 500 or more: the server's faults. */
  readonly errors: number
  /** Requests of any kind refused with a status of 400 to 499: the client's faults. */
  readonly rejected: number
  /** From the last 1,024 successful prediction requests; null before the first. */
  readonly latency_p50_ms: number | null
  readonly latency_p95_ms: number | null
  readonly rss_bytes: number
  /** Highest resident memory so far. */
  readonly peak_rss_bytes: number
  /** CPU time of the process so far, all threads. */
  readonly cpu_ms: number
  readonly uptime_seconds: number
}

/** Counts what a service does. */
export class ServiceStatistics {
  readonly metrics = new ServiceMetrics()
  private requests = 0
  private predictions = 0
  private errors = 0
  private rejected = 0
  private successes = 0
  private readonly window = new Float32Array(WINDOW)
  private readonly startedAt = performance.now()

  /** An answer with this status was sent, so long after the header came. */
  answered(status: number, isPrediction: boolean, durationMs: number): void {
    this.metrics.answered(status, isPrediction, durationMs)
    if (isPrediction) this.requests++
    if (status >= 500) this.errors++
    else if (status >= 400) this.rejected++
  }

  /** A prediction request succeeded. */
  predicted(samples: number, latencyMs: number): void {
    this.predictions += samples
    this.window[this.successes % WINDOW] = latencyMs
    this.successes++
  }

  get uptimeSeconds(): number {
    return (performance.now() - this.startedAt) / 1000
  }

  stats(): ServiceStats {
    const sorted = sortedAscending(this.window.subarray(0, Math.min(this.successes, WINDOW)))
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    const percentile = (percent: number) => (sorted.length > 0 ? percentileOfSorted(sorted, percent) : null)
    return {
      requests: this.requests,
      predictions: this.predictions,
      errors: this.errors,
      rejected: this.rejected,
      latency_p50_ms: percentile(50),
      latency_p95_ms: percentile(95),
      rss_bytes: process.memoryUsage.rss(),
      peak_rss_bytes: peakMemoryBytes(),
      // Node.js gives CPU time in microseconds.
      cpu_ms: (userCPUTime + systemCPUTime) / 1000,
      uptime_seconds: this.uptimeSeconds,
    }
  }
}
