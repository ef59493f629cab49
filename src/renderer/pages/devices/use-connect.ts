import { useQueryClient } from '@tanstack/react-query'
import type { Device } from '../../../contract/device.ts'
import { receiveLink } from '../../backend/device-link-cache.ts'
import { useAction } from '../../backend/use-action.ts'

/** Connecting and disconnecting one device by hand. */
export interface UseConnect {
  readonly connect: () => void
  readonly disconnect: () => void
  readonly pending: boolean
  /** Why a call was refused; why a connection failed stands in the device's link. */
  readonly error: Error | null
  readonly reset: () => void
}

/** Connects and disconnects a device; what came of it is in its link. */
export function useConnect({ id }: Pick<Device, 'id'>): UseConnect {
  const client = useQueryClient()
  const connecting = useAction('devices.connect', { showsError: true })
  const disconnecting = useAction('devices.disconnect', { showsError: true })
  return {
    connect: () => {
      disconnecting.reset()
      connecting.mutate({ id }, { onSuccess: (link) => receiveLink(client, link) })
    },
    disconnect: () => {
      connecting.reset()
      disconnecting.mutate({ id }, { onSuccess: (link) => receiveLink(client, link) })
    },
    pending: connecting.isPending || disconnecting.isPending,
    error: connecting.error ?? disconnecting.error,
    reset: () => {
      connecting.reset()
      disconnecting.reset()
    },
  }
}
