import { type UseMutationResult, useMutation } from '@tanstack/react-query'
import type { ProcedureInput, ProcedureName, ProcedureOutput } from '../../contract/procedures.ts'
import { notifyError } from '../components/notify.tsx'
import { call } from './call.ts'
import { rememberStartedJob } from './started-jobs.ts'

interface ActionOptions {
  /** True where the form shows the error itself. */
  readonly showsError?: boolean
}

/** A procedure that changes something or starts a job. Errors become a notification unless the caller shows them. */
export function useAction<N extends ProcedureName>(
  name: N,
  options: ActionOptions = {},
): UseMutationResult<ProcedureOutput<N>, Error, ProcedureInput<N>> {
  return useMutation<ProcedureOutput<N>, Error, ProcedureInput<N>>({
    mutationKey: [name],
    mutationFn: async (input) => {
      const output = await call(name, input)
      rememberStartedJob(name, input, output)
      return output
    },
    onError: (error) => {
      if (!options.showsError) notifyError(error)
    },
  })
}
