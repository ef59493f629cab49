import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from './call.ts'
import { type ServiceHistory, withLive } from './service-readings.ts'

interface ServiceLiveOptions {
  /** False while it is stopped or its device is not reached. */
  readonly enabled: boolean
  readonly everyMs: number
}

/** What a running service measures, asked again while it is shown; what it answered before stays for some minutes after. */
export function useServiceLive(deploymentId: string, { enabled, everyMs }: ServiceLiveOptions): UseQueryResult<ServiceHistory> {
  const client = useQueryClient()
  const queryKey = ['deployments.live', deploymentId]
  return useQuery<ServiceHistory>({
    queryKey,
    queryFn: async () => {
      const live = await call('deployments.live', { id: deploymentId })
      return withLive(client.getQueryData<ServiceHistory>(queryKey), live)
    },
    enabled,
    // Comparing hundreds of readings with each other every second would find nothing.
    structuralSharing: false,
    refetchInterval: everyMs,
  })
}
