import { EdgesmithError } from '../contract/errors.ts'

/** The error every cancelled job ends with. */
export function cancelledError(): EdgesmithError {
  return new EdgesmithError('JOB_CANCELLED', 'The job was cancelled.')
}

/** @throws EdgesmithError `JOB_CANCELLED` when the signal was aborted */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelledError()
}

/** Waits for a promise, but not longer than until the signal; what it stands for goes on unseen then. @throws EdgesmithError `JOB_CANCELLED` */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelledError())
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Waits for work that the signal ends, and that then tidies up; on a link that is dead not longer than the grace. @throws EdgesmithError `JOB_CANCELLED` */
export function soonAfterAbort<T>(work: Promise<T>, signal: AbortSignal | undefined, graceMs: number): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const abort = () => {
      timer = setTimeout(() => reject(cancelledError()), graceMs)
    }
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
  })
}
