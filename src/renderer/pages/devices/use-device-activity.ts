import { useIsMutating } from '@tanstack/react-query'
import { startedWith } from '../../backend/started-jobs.ts'
import { useActiveJobs } from '../../backend/use-jobs.ts'
import type { DeviceActivity } from './device-state.ts'

/** What this window is doing with a device right now. */
export function useDeviceActivity(deviceId: string): DeviceActivity {
  const probing = useIsMutating({
    mutationKey: ['devices.probe'],
    predicate: ({ state }) => (state.variables as { id?: string } | undefined)?.id === deviceId,
  })
  const preparing = useActiveJobs('devices.prepare').some(({ id }) => startedWith(id, 'devices.prepare')?.id === deviceId)
  if (preparing) return 'preparing'
  return probing > 0 ? 'probing' : null
}
