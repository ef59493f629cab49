import type { ServiceLive } from '../../contract/service-protocol.ts'

/** What a service measured at one moment; counters are since its process started. */
export interface ServiceReading
  extends Pick<
    ServiceLive,
    | 'pid'
    | 'requests'
    | 'predictions'
    | 'errors'
    | 'rejected'
    | 'latencyP50Ms'
    | 'latencyP95Ms'
    | 'latencyP99Ms'
    | 'predictionsInFlight'
    | 'queueDepth'
    | 'rssBytes'
    | 'cpuMs'
  > {
  /** By the clock of its machine. */
  readonly atMs: number
}

/** The newest answer of a service and what it answered before, oldest first. */
export interface ServiceHistory {
  readonly live: ServiceLive
  readonly readings: readonly ServiceReading[]
}

/** Readings kept: ten minutes at one a second. */
const MOST_READINGS = 600

/** Adds an answer; one of the same moment takes the place of the last. */
export function withLive(before: ServiceHistory | undefined, live: ServiceLive): ServiceHistory {
  const reading: ServiceReading = {
    atMs: Date.parse(live.at),
    pid: live.pid,
    requests: live.requests,
    predictions: live.predictions,
    errors: live.errors,
    rejected: live.rejected,
    latencyP50Ms: live.latencyP50Ms,
    latencyP95Ms: live.latencyP95Ms,
    latencyP99Ms: live.latencyP99Ms,
    predictionsInFlight: live.predictionsInFlight,
    queueDepth: live.queueDepth,
    rssBytes: live.rssBytes,
    cpuMs: live.cpuMs,
  }
  // A clock that was set back makes what came before useless for drawing.
  const kept = (before?.readings ?? []).filter(({ atMs }) => atMs < reading.atMs)
  return { live, readings: [...kept, reading].slice(-MOST_READINGS) }
}
