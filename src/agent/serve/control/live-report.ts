import type { Routing } from '../../../contract/routing.ts'
import type { LiveVersion, ServiceLive } from '../../../contract/service-protocol.ts'
import { canaryStep } from '../../../core/rollout/rollout-step.ts'
import { besideOf, currentWeight } from '../../../core/rollout/routing.ts'
import type { ServiceMonitor } from '../../monitor/service-monitor.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import type { OpenService } from '../open-service.ts'
import { isReady } from '../service-view.ts'
import type { RunningTrials } from './running-trials.ts'
import type { VersionStore } from './version-store.ts'

export interface LiveSources {
  readonly folder: ServiceFolder
  readonly store: VersionStore
  readonly service: OpenService
  readonly monitor: ServiceMonitor
  readonly routing: Routing
  readonly trials: RunningTrials
}

const EVENTS = 50

/** What `GET /control/live` answers. */
export async function liveReport(sources: LiveSources): Promise<ServiceLive> {
  const { folder, service, monitor, routing, trials } = sources
  const { watch } = trials
  const { view, versions } = service
  const { current } = versions
  const stats = view.statistics.stats()
  const { p50Ms, p95Ms, p99Ms } = view.statistics.latencyPercentiles
  return {
    at: new Date().toISOString(),
    uptimeSeconds: stats.uptime_seconds,
    ready: isReady(view),
    draining: view.isDraining(),
    pid: process.pid,
    rssBytes: stats.rss_bytes,
    peakRssBytes: stats.peak_rss_bytes,
    cpuMs: stats.cpu_ms,
    openConnections: view.openConnections(),
    predictionsInFlight: view.predictionsInFlight(),
    queueDepth: versions.answering.reduce((sum, { predictor }) => sum + predictor.depth, 0),
    requests: stats.requests,
    predictions: stats.predictions,
    errors: stats.errors,
    rejected: stats.rejected,
    latencyP50Ms: p50Ms,
    latencyP95Ms: p95Ms,
    latencyP99Ms: p99Ms,
    versions: await liveVersions(sources),
    watch:
      routing.watch && watch
        ? {
            release: routing.current,
            secondsLeft: Math.max(0, routing.watch.seconds - watch.elapsedSeconds),
            found: watch.peek(routing.watch.limits, current && view.copies.countsOf(current)).found.slice(0, 1000),
          }
        : null,
    canary: liveCanary(sources),
    ...monitor.live,
    events: await folder.readEvents(EVENTS),
  }
}

function liveCanary({ routing, trials, store, service }: LiveSources): ServiceLive['canary'] {
  if (!trials.canary) return null
  const { release, trial } = trials.canary
  const entry = besideOf(routing, release)
  if (!entry) return null
  const { step = 0, steps = [], stepSeconds = 0, limits } = entry
  const version = store.get(release)
  const verdict = trial.peek(limits, version && service.view.copies.countsOf(version))
  return {
    release,
    step,
    steps: [...steps],
    secondsLeft: Math.max(0, stepSeconds - trial.elapsedSeconds),
    waitingFor: canaryStep(verdict, trial.elapsedSeconds, stepSeconds).text.slice(0, 500),
    found: verdict.found.slice(0, 1000),
  }
}

async function liveVersions(sources: LiveSources): Promise<LiveVersion[]> {
  const { routing } = sources
  const { current, previous, beside } = routing
  const described = [
    describe(sources, current, { role: 'current', kind: null, weight: currentWeight(routing) }),
    ...beside.map(({ release, kind, weight }) => describe(sources, release, { role: 'beside', kind, weight })),
    ...(previous !== null && !besideOf(routing, previous)
      ? [describe(sources, previous, { role: 'previous', kind: null, weight: 0 })]
      : []),
  ]
  return Promise.all(described)
}

async function describe(
  { store, service }: LiveSources,
  release: string,
  place: Pick<LiveVersion, 'role' | 'kind' | 'weight'>,
): Promise<LiveVersion> {
  const version = store.get(release)
  if (!version) return { release, modelName: await nameOf(store, release), ...place, ...NOT_LOADED }
  const { statistics, placed, config } = version
  const { p50Ms, p95Ms, p99Ms } = statistics.latencies.percentiles()
  const copies = service.view.copies.countsOf(version)
  return {
    release,
    modelName: config.modelName,
    ...place,
    runsOn: placed.workers > 0 ? 'workers' : 'answering thread',
    workers: placed.workers,
    requests: statistics.requests,
    errors: statistics.errors,
    latencyP50Ms: p50Ms,
    latencyP95Ms: p95Ms,
    latencyP99Ms: p99Ms,
    compared: copies?.compared ?? null,
    differing: copies?.differing ?? null,
    dropped: copies && place.kind === 'shadow' ? copies.dropped : null,
  }
}

const NOT_LOADED = {
  runsOn: 'not loaded',
  workers: 0,
  requests: 0,
  errors: 0,
  latencyP50Ms: null,
  latencyP95Ms: null,
  latencyP99Ms: null,
  compared: null,
  differing: null,
  dropped: null,
} as const

/** A release that is damaged has no name any more. */
async function nameOf(store: VersionStore, release: string): Promise<string> {
  try {
    return await store.modelName(release)
  } catch {
    return release
  }
}
