import { EdgesmithError } from '../contract/errors.ts'

/** The error every cancelled job ends with. */
export function cancelled(): EdgesmithError {
  return new EdgesmithError('JOB_CANCELLED', 'The job was cancelled')
}

/** @throws EdgesmithError JOB_CANCELLED */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled()
}
