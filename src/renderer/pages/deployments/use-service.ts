import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import type { ServiceReport } from '../../../contract/service-protocol.ts'
import type { ServiceHistory } from '../../backend/service-readings.ts'
import { useCall } from '../../backend/use-call.ts'
import { useServiceLive } from '../../backend/use-service-live.ts'
import { useReached } from './use-reached.ts'
import { type VersionRow, versionRows } from './versions/version-rows.ts'

/** What is known of a service while it is shown. */
export interface Service {
  readonly state: Deployment['state']
  /** It can be asked without connecting to its device first. */
  readonly reached: boolean
  readonly report: UseQueryResult<ServiceReport>
  readonly live: UseQueryResult<ServiceHistory>
  /** Undefined where it does not run. */
  readonly history: ServiceHistory | undefined
  readonly rows: readonly VersionRow[]
}

/** How often a running service is asked what it measures. */
const LIVE_EVERY_MS = 1000
/** How often one that does not run is asked whether it does: that starts a program on its device. */
const REPORT_EVERY_MS = 15_000

/**
 * A service as its machine and its serving process say it is. The report is asked for once, and again when the serving process or the
 * workspace says that something happened; what it measures every second.
 */
export function useService({ id, deviceId, state: stored, release, port, createdAt }: Deployment): Service {
  const reached = useReached(deviceId)
  const report = useCall('deployments.report', { id })
  const state = report.data?.state ?? stored
  const running = state === 'running'
  const live = useServiceLive(id, { enabled: running && reached, everyMs: LIVE_EVERY_MS })
  // Only where the serving process itself says nothing.
  useCall('deployments.report', { id }, { enabled: reached && (!running || live.isError), refetchIntervalMs: REPORT_EVERY_MS })
  const lastEvent = live.data?.live.events.at(-1)?.at
  const versions = live.data?.live.versions.map(({ release, role, kind }) => `${release} ${role} ${kind}`).join()
  const failed = live.isError
  const known = `${stored} ${release} ${port} ${createdAt}`
  const seen = useRef(known)
  useEffect(() => {
    if (lastEvent !== undefined || failed || seen.current !== known) void report.refetch()
    seen.current = known
  }, [lastEvent, versions, failed, known])
  const history = running && reached ? live.data : undefined
  return { state, reached, report, live, history, rows: versionRows(report.data, history?.live.versions ?? []) }
}
