import type { ProcedureInput, ProcedureName, ProcedureOutput } from '../../contract/procedures.ts'
import { BackendError } from './backend-error.ts'
import { bridge } from './bridge.ts'

/** Calls a procedure of the backend; a refusal is thrown as {@link BackendError}. */
export async function call<N extends ProcedureName>(name: N, input: ProcedureInput<N>): Promise<ProcedureOutput<N>> {
  const answer = await bridge().call(name, input)
  if (answer.ok) return answer.output
  throw new BackendError(answer.error)
}
