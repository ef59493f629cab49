import { peakMemoryBytes } from '../../engine/memory.ts'
import type { AnsweringVersion } from './exchange.ts'
import { ServiceMetrics } from './metrics/service-metrics.ts'
import { type LatencyPercentiles, LatencyWindow, type VersionStatistics } from './versions/version-statistics.ts'

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

/** Counts what a service does, whichever version of its model answers. */
export class ServiceStatistics {
  /** Counts what no version was asked for; the current version's once there is one. */
  metrics = new ServiceMetrics()
  private requests = 0
  private predictions = 0
  private errors = 0
  private rejected = 0
  private readonly latencies = new LatencyWindow()
  private readonly startedAt = performance.now()

  /**
   * An answer with this status was sent, so long after the header came.
   * @param version that was asked for a prediction
   */
  answered(status: number, isPrediction: boolean, durationMs: number, version: AnsweringVersion | null = null): void {
    if (version && isPrediction) version.statistics.answered(status, durationMs)
    else this.metrics.answered(status, isPrediction, durationMs)
    if (isPrediction) this.requests++
    if (status >= 500) this.errors++
    else if (status >= 400) this.rejected++
  }

  /** A prediction request succeeded. */
  predicted(samples: number, latencyMs: number, version: VersionStatistics): void {
    this.predictions += samples
    this.latencies.add(latencyMs)
    version.predicted(latencyMs)
  }

  get uptimeSeconds(): number {
    return (performance.now() - this.startedAt) / 1000
  }

  get latencyPercentiles(): LatencyPercentiles {
    return this.latencies.percentiles()
  }

  stats(): ServiceStats {
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    const { p50Ms, p95Ms } = this.latencyPercentiles
    return {
      requests: this.requests,
      predictions: this.predictions,
      errors: this.errors,
      rejected: this.rejected,
      latency_p50_ms: p50Ms,
      latency_p95_ms: p95Ms,
      rss_bytes: process.memoryUsage.rss(),
      peak_rss_bytes: peakMemoryBytes(),
      // Node.js gives CPU time in microseconds.
      cpu_ms: (userCPUTime + systemCPUTime) / 1000,
      uptime_seconds: this.uptimeSeconds,
    }
  }
}
