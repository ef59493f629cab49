import { useQueryClient } from '@tanstack/react-query'
import type { TrafficRequest } from '../../../../contract/service-protocol.ts'
import { call } from '../../../backend/call.ts'
import { useAction } from '../../../backend/use-action.ts'

interface Traffic {
  /** Weight, promote, withdraw; an error becomes a notification, and `onRefused` may put a control back. */
  readonly change: (traffic: TrafficRequest, onRefused?: () => void) => void
  readonly isPending: boolean
  /** As {@link Traffic.change}, for a dialog that waits and shows the error itself. */
  readonly changed: (traffic: TrafficRequest) => Promise<void>
  readonly rollBack: () => Promise<void>
}

/** Changes which versions of a service get requests. What is shown is asked for again, whether it worked or not. */
export function useTraffic(id: string): Traffic {
  const client = useQueryClient()
  const traffic = useAction('deployments.traffic')
  const askAgain = async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: ['deployments.report'] }),
      client.invalidateQueries({ queryKey: ['deployments.live', id] }),
    ])
  }
  return {
    change: (request, onRefused) =>
      traffic.mutate({ id, traffic: request }, { onError: () => onRefused?.(), onSettled: () => void askAgain() }),
    isPending: traffic.isPending,
    changed: async (request) => {
      await call('deployments.traffic', { id, traffic: request })
      await askAgain()
    },
    rollBack: async () => {
      await call('deployments.rollback', { id })
      await askAgain()
    },
  }
}
