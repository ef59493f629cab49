import type { Metrics } from '../../../contract/evaluation.ts'
import type { LatencyStatistics } from '../../../contract/measurement.ts'
import type { Energy } from '../../../contract/telemetry.ts'
import { plainLine } from '../plain-text.ts'

/** One number of one run. */
export interface Measure {
  readonly metric: string
  readonly value: number | null | undefined
  readonly interval?: readonly [number, number] | null | undefined
  readonly unit: string
}

/** What a run is told apart by. */
export interface RunColumns {
  readonly kind:
    | 'comparison'
    | 'benchmark'
    | 'evaluation'
    | 'profile'
    | 'layers'
    | 'slowdown'
    | 'accuracy'
    | 'parity'
    | 'matrix'
    | 'validation'
  readonly run: string
  readonly model: string
  readonly device: string
  readonly dataset: string
  /** Layer or class a number is of; empty for the whole model. */
  readonly part?: string
}

/** Measures of one run as rows; those that were not taken are left out. */
export function rowsOf(run: RunColumns, measures: readonly Measure[]): (string | number)[][] {
  return measures.flatMap(({ metric, value, interval, unit }) =>
    value === null || value === undefined
      ? []
      : [
          [
            run.kind,
            run.run,
            plainLine(run.model),
            plainLine(run.device),
            plainLine(run.dataset),
            plainLine(run.part ?? ''),
            metric,
            value,
            interval?.[0] ?? '',
            interval?.[1] ?? '',
            unit,
          ],
        ],
  )
}

/** Latency statistics, percentiles with their intervals. */
export function latencyMeasures(latency: LatencyStatistics): Measure[] {
  const ms = (metric: keyof LatencyStatistics & string, value: number | null): Measure => ({
    metric: `latency.${metric}`,
    value,
    interval: latency.ci[metric],
    unit: 'ms',
  })
  const { mean, std, min, max, p50, p90, p95, p99, p999 } = latency
  return [
    ms('mean', mean),
    ms('std', std),
    ms('min', min),
    ms('max', max),
    ms('p50', p50),
    ms('p90', p90),
    ms('p95', p95),
    ms('p99', p99),
    ms('p999', p999),
  ]
}

/** Energy of one inference and mean power, where they could be measured. */
export function energyMeasures(energy: Energy | null): Measure[] {
  if (!energy?.measurable) return []
  return [
    { metric: 'energyGross', value: energy.grossMj, unit: 'mJ' },
    { metric: 'energyNet', value: energy.netMj, unit: 'mJ' },
    { metric: 'meanPower', value: energy.meanW, unit: 'W' },
  ]
}

/** Every number of an evaluation, with its interval where there is one. */
export function metricMeasures(metrics: Metrics): Measure[] {
  const entries = Object.entries(metrics).flatMap(([metric, value]) => (typeof value === 'number' ? [{ metric, value }] : []))
  const intervals = metrics as Readonly<Record<string, unknown>>
  return entries.map(({ metric, value }) => {
    const interval = intervals[`${metric}Ci95`]
    return { metric, value, interval: Array.isArray(interval) ? (interval as [number, number]) : null, unit: metricUnit(metric) }
  })
}

/** What a metric is counted in; nothing for those in units of the data. */
export function metricUnit(metric: string): string {
  if (metric === 'sqnrDb') return 'dB'
  return /accuracy|top5|Macro|calibrationError|agreement/.test(metric) ? 'share' : ''
}
