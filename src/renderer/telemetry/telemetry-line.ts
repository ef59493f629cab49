import type { TelemetryReading } from '../../contract/telemetry.ts'
import type { TelemetryMetric } from './telemetry-metrics.ts'

/** Readings farther apart than this are not joined: the machine was not asked, or did not answer, in between. */
const GAP_MS = 6000

/** A place on the line of one metric; `value` is NaN where the line is broken. */
export interface TelemetryPoint {
  readonly atMs: number
  /** In the unit of the metric. */
  readonly value: number
  readonly throttled: readonly string[]
}

/** The line of one metric, broken where it was not read. */
export function telemetryLine(readings: readonly TelemetryReading[], metric: TelemetryMetric): TelemetryPoint[] {
  const points: TelemetryPoint[] = []
  for (const reading of readings) {
    const before = points.at(-1)
    if (before && reading.atMs - before.atMs > GAP_MS) points.push({ atMs: before.atMs, value: Number.NaN, throttled: [] })
    const value = metric.of(reading)
    points.push({ atMs: reading.atMs, value: value === null ? Number.NaN : value / metric.perUnit, throttled: reading.throttled })
  }
  return points
}

/** A stretch of time during which something held the clocks down. */
export interface ThrottledStretch {
  readonly fromMs: number
  readonly toMs: number
}

/** Stretches in which readings name a cause, each until the next reading without one. */
export function throttledStretches(readings: readonly TelemetryReading[]): ThrottledStretch[] {
  const stretches: ThrottledStretch[] = []
  let fromMs: number | null = null
  for (const { atMs, throttled } of readings) {
    if (throttled.length > 0) fromMs ??= atMs
    else if (fromMs !== null) {
      stretches.push({ fromMs, toMs: atMs })
      fromMs = null
    }
  }
  const end = readings.at(-1)?.atMs
  if (fromMs !== null && end !== undefined) stretches.push({ fromMs, toMs: end })
  return stretches
}
