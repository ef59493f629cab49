import type { ServiceSettings } from '../../contract/service.ts'
import type { MetricFamily } from './metrics/metric-text.ts'
import { PredictionFeed } from './prediction-feed.ts'
import type { PredictionObserver } from './prediction-observer.ts'
import { HttpService, type Route } from './service-http.ts'
import { type ServiceLimits, serviceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import { serviceRoutes } from './service-routes.ts'
import { ServiceStatistics } from './service-statistics.ts'
import type { ServiceView } from './service-view.ts'
import { versionPaths } from './v2/v2-routes.ts'
import { PredictionCopies } from './versions/prediction-copies.ts'
import type { ServedConfig } from './versions/served-version.ts'
import { VersionSet } from './versions/version-set.ts'

export interface OpenServiceOptions {
  readonly settings: Omit<ServiceSettings, 'host' | 'port'>
  readonly token: string
  /** What is going to be served, for those who ask before it is loaded. */
  readonly initial: ServedConfig
  readonly log: ServiceLog
  readonly limits?: ServiceLimits | undefined
  /** See every prediction after it was answered. */
  readonly observers?: readonly PredictionObserver[] | undefined
  /** Paths beside those of the service itself; may grow and shrink. */
  readonly routes?: ReadonlyMap<string, Route> | undefined
  /** Read whenever the metrics are asked for. */
  readonly metrics?: readonly (() => readonly MetricFamily[])[] | undefined
}

/** A service with its HTTP side, without a version that answers yet: requests get 503 `NOT_READY`. */
export interface OpenService {
  readonly http: HttpService
  readonly view: ServiceView
  readonly versions: VersionSet
}

/** Puts a service together; `http.listen` is left to be called. */
export function openService(options: OpenServiceOptions): OpenService {
  const { settings, token, log, limits = serviceLimits } = options
  const { service, apiKeys, rateLimit, concurrency, deadlineMs, accessLogShare, network } = settings
  const statistics = new ServiceStatistics()
  let updatePaths = () => {}
  const versions = new VersionSet(statistics, options.initial, () => updatePaths())
  const view: ServiceView = {
    service,
    limits,
    statistics,
    log,
    feed: new PredictionFeed(options.observers ?? [], log),
    versions,
    copies: new PredictionCopies(versions),
    isDraining: () => http.isDraining,
    openConnections: () => http.openConnections,
    predictionsInFlight: () => http.predictionsInFlight,
    otherMetrics: options.metrics ?? [],
  }
  const routes = serviceRoutes(view)
  updatePaths = versionPaths(view, routes)
  for (const [path, route] of options.routes ?? []) routes.set(path, route)
  const access = { token, apiKeys, rateLimit, hosts: network?.hosts ?? [] }
  const http: HttpService = new HttpService({ access, routes, limits, concurrency, deadlineMs, accessLogShare, statistics, log })
  return { http, view, versions }
}
