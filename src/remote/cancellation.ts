import { EdgesmithError } from '../contract/errors.ts'

/** The error every cancelled job ends with. */
export function cancelled(): EdgesmithError {
  return new EdgesmithError('JOB_CANCELLED', 'The job was cancelled')
}

/** @throws EdgesmithError JOB_CANCELLED */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled()
}

/** Waits for a promise, but not longer than until the signal. @throws EdgesmithError JOB_CANCELLED */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled())
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
