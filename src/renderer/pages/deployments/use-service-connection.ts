import { skipToken, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ProcedureOutput } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'

type Connection = ProcedureOutput<'deployments.connect'>

interface ServiceConnectionState {
  /** Undefined until somebody asked for it. */
  readonly connection: Connection | undefined
  readonly connect: () => void
  readonly isPending: boolean
  readonly error: Error | null
  readonly reset: () => void
}

/** Address and token of a service, once somebody asked for them; still there after a look at another tab. */
export function useServiceConnection(id: string): ServiceConnectionState {
  const client = useQueryClient()
  const queryKey = ['service-connection', id]
  const { data } = useQuery<Connection>({ queryKey, queryFn: skipToken })
  const { mutate, isPending, error, reset } = useAction('deployments.connect', { showsError: true })
  return {
    connection: data,
    connect: () => mutate({ id }, { onSuccess: (connection) => client.setQueryData(queryKey, connection) }),
    isPending,
    error,
    reset,
  }
}
