import { EdgesmithError } from '../../contract/errors.ts'

/** The error every cancelled job ends with. */
export function cancelledError(): EdgesmithError {
  return new EdgesmithError('JOB_CANCELLED', 'Cancelled.')
}

/**
 * Waits for something that cannot be cancelled itself, no longer than until the signal; what it does goes on unseen then.
 * @throws EdgesmithError `JOB_CANCELLED`, or what `work` rejects with
 */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfCancelled(signal)
  let stop = () => {}
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => reject(cancelledError())
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, cancelled])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** @throws EdgesmithError `JOB_CANCELLED` when the signal was aborted */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancelledError()
}
