import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ProcedureInput, ProcedureName, ProcedureOutput } from '../../contract/procedures.ts'
import { call } from './call.ts'

interface CallOptions {
  /** False: do not ask yet. */
  readonly enabled?: boolean
  /** Ask again this often while the window is visible. Only for the state of services; everything else follows events. */
  readonly refetchIntervalMs?: number
  /** Go on showing the previous answer while the input changes. */
  readonly keepPrevious?: boolean
}

/** The answer of a procedure that only reads; asked again when a `changed` event names its noun. */
export function useCall<N extends ProcedureName>(
  name: N,
  input: ProcedureInput<N>,
  options: CallOptions = {},
): UseQueryResult<ProcedureOutput<N>> {
  return useQuery<ProcedureOutput<N>>({
    queryKey: [name, input],
    queryFn: () => call(name, input),
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchIntervalMs ?? false,
    ...(options.keepPrevious ? { placeholderData: keepPreviousData } : {}),
  })
}
