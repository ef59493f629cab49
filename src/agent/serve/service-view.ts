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

export function isReady({ versions, isDraining }: ServiceView): boolean {
  return versions.current !== null && !isDraining()
}
