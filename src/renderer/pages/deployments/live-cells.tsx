import type { Deployment } from '../../../contract/deployment.ts'
import type { ServiceHistory } from '../../backend/service-readings.ts'
import { useServiceLive } from '../../backend/use-service-live.ts'
import { formatSignificant, NOTHING } from '../../format/numbers.ts'
import { DriftChip } from './drift/drift-chip.tsx'
import { driftLevel } from './drift/drift-order.ts'
import { requestsPerSecond } from './live/live-lines.ts'
import { useReached } from './use-reached.ts'
import { weightSummary } from './versions/version-rows.ts'

interface LiveCellProps {
  readonly deployment: Deployment
}

/** A list is looked at in passing; the service that is selected is asked more often. */
const ASK_EVERY_MS = 5000

/** What a service of the list measures; undefined where it does not run, or would have to be connected to first. */
function useListed({ id, deviceId, state }: Deployment): ServiceHistory | undefined {
  const reached = useReached(deviceId)
  const enabled = state === 'running' && reached
  const { data } = useServiceLive(id, { enabled, everyMs: ASK_EVERY_MS })
  return enabled ? data : undefined
}

/** Requests a second. */
export function RequestsCell({ deployment }: LiveCellProps) {
  const history = useListed(deployment)
  const rate = history ? requestsPerSecond(history.readings) : null
  return <span className="es-num">{rate === null ? NOTHING : `${formatSignificant(rate)}/s`}</span>
}

/** How requests are divided between versions. */
export function WeightsCell({ deployment }: LiveCellProps) {
  const history = useListed(deployment)
  const summary = history ? weightSummary(history.live.versions) : null
  return <span className="es-num">{summary ?? NOTHING}</span>
}

/** Whether values still look like the reference. */
export function DriftCell({ deployment }: LiveCellProps) {
  const history = useListed(deployment)
  const level = driftLevel(history?.live.drift ?? null)
  return level === null ? NOTHING : <DriftChip level={level} />
}
