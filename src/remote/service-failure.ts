import { EdgesmithError } from '../contract/errors.ts'
import type { StartOutcome } from './service-place.ts'
import { shownText } from './shown-text.ts'

/** The error for a port that somebody else listens on. */
export function portTaken(port: number, machine: string): EdgesmithError {
  return new EdgesmithError('PORT_TAKEN', `Another program listens on port ${port} of ${machine}`, {
    hint: 'Choose another port, or none: a free one is taken then.',
    details: { port },
  })
}

/**
 * The error for a release that did not start, with the reason its log gives.
 * @param port the one it was told to take; null for any
 * @param oldServes whether the version before it serves (again)
 */
export function failedStart(
  service: string,
  port: number | null,
  machine: string,
  { log }: StartOutcome,
  oldServes: boolean,
): EdgesmithError {
  const reason = reasonIn(log)
  if (reason?.code === 'PORT_TAKEN') {
    const taken = portTaken(port ?? 0, machine)
    const message = port === null ? `The port of ${service} on ${machine} was taken by another program meanwhile` : taken.message
    return new EdgesmithError('PORT_TAKEN', message, { hint: taken.hint, details: { port, log } })
  }
  const serves = oldServes ? 'The version before it serves on. ' : ''
  return new EdgesmithError('DEPLOY_FAILED', `${service} on ${machine} did not start${reason ? `: ${reason.message}` : ''}`, {
    hint: `${serves}${reason?.hint ?? 'The log that comes with this error has its last words.'}`,
    details: { log, ...(reason ? { reason: reason.code } : {}) },
  })
}

/** The last line of a log that is a failure as `agent serve` writes it: `{"event":"failed","code":…,"message":…,"hint":…}`. */
function reasonIn(log: string): { readonly code: string; readonly message: string; readonly hint: string | null } | null {
  for (const line of log.split('\n').reverse()) {
    if (!line.includes('"failed"')) continue
    try {
      const { event, code, message, hint } = JSON.parse(line) as Record<string, unknown>
      if (event !== 'failed' || typeof code !== 'string' || typeof message !== 'string') continue
      return { code: shownText(code, 60), message: shownText(message, 600), hint: typeof hint === 'string' ? shownText(hint, 600) : null }
    } catch {
      // Cut off, or not ours.
    }
  }
  return null
}
