import { EdgesmithError } from '../../contract/errors.ts'

/** The error every cancelled job ends with. */
export function cancelledError(): EdgesmithError {
  return new EdgesmithError('JOB_CANCELLED', 'Cancelled.')
}

/** @throws EdgesmithError `JOB_CANCELLED` when the signal was aborted */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelledError()
}
