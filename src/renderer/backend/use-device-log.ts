import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import type { DeviceLogLine } from '../../contract/device-link.ts'
import { call } from './call.ts'

/** First part of the query keys of device logs. */
export const deviceLogKey = 'devices.log'

/** Lines kept, as many as the backend keeps. */
const MOST_LINES = 2000
/** A log that is looked at should not lag behind what happens. */
const ASK_EVERY_MS = 1000

/** Lines with those that came after them; the same array when none came, so that nothing is drawn again. */
export function withNewLines(lines: readonly DeviceLogLine[], newer: readonly DeviceLogLine[]): readonly DeviceLogLine[] {
  const last = lines.at(-1)?.number ?? 0
  // Two answers may overlap when one was asked for before the other arrived.
  const fresh = newer.filter(({ number }) => number > last)
  return fresh.length === 0 ? lines : [...lines, ...fresh].slice(-MOST_LINES)
}

/** The log of a device, asked for new lines every second while it is shown. */
export function useDeviceLog(deviceId: string): UseQueryResult<readonly DeviceLogLine[]> {
  const client = useQueryClient()
  const queryKey = [deviceLogKey, deviceId]
  return useQuery<readonly DeviceLogLine[]>({
    queryKey,
    queryFn: async () => {
      const lines = client.getQueryData<readonly DeviceLogLine[]>(queryKey) ?? []
      return withNewLines(lines, await call('devices.log', { id: deviceId, after: lines.at(-1)?.number ?? 0 }))
    },
    // Comparing two thousand lines with each other every second would find nothing.
    structuralSharing: false,
    refetchInterval: ASK_EVERY_MS,
  })
}
