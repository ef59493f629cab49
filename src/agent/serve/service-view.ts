import type { MetricFamily } from './metrics/metric-text.ts'
import type { PredictionFeed } from './prediction-feed.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatistics } from './service-statistics.ts'
import type { PredictionCopies } from './versions/prediction-copies.ts'
import type { VersionSet } from './versions/version-set.ts'

/** What the routes speak about. */
export interface ServiceView {
  /** Name of the service. */
  readonly service: string
  readonly limits: ServiceLimits
  readonly statistics: ServiceStatistics
  readonly log: ServiceLog
  readonly feed: PredictionFeed
  readonly versions: VersionSet
  readonly copies: PredictionCopies
  readonly isDraining: () => boolean
  readonly openConnections: () => number
  readonly predictionsInFlight: () => number
  /** Metrics of whatever else the service does. */
  readonly otherMetrics: readonly (() => readonly MetricFamily[])[]
}

export function isReady(view: ServiceView): boolean {
  return notReadyReason(view) === null
}

/** Why predictions are not answered, in words; null where they are. */
export function notReadyReason({ versions: { current }, isDraining }: ServiceView): string | null {
  if (isDraining()) return 'The service is stopping.'
  if (current === null) return 'The model is not loaded yet.'
  const { downtime } = current
  if (downtime === null) return null
  return `The threads that run the model end again and again (${downtime.reason}); next attempt in ${downtime.retrySeconds} s.`
}
