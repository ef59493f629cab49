import { EdgesmithError, type ErrorCode, toErrorReport } from '../../contract/errors.ts'
import type { GateCheck } from '../../contract/routing.ts'
import { reasonIn } from './log-reason.ts'
import type { ServiceFolder } from './service-folder.ts'

/** Lines of the log that come with the error of a failed deploy. */
const failureLogLines = 60
/** Codes that say more than that the deploy failed; others become `DEPLOY_FAILED`, with the code as its reason. */
const telling: ReadonlySet<string> = new Set<ErrorCode>(['PORT_TAKEN', 'SUDO_NEEDED', 'DEVICE_COMMAND_FAILED', 'DEVICE_UNSUPPORTED'])

/**
 * Keeps a release that did not get to serve, with what was checked and the end of the log, and answers the error that says so.
 * @param checks passed and failed ones
 * @param serves what serves now, in words for the hint
 */
export async function failedDeploy(
  folder: ServiceFolder,
  service: string,
  release: string,
  cause: unknown,
  checks: readonly GateCheck[],
  serves: string,
): Promise<Error> {
  const log = await folder.logTail(failureLogLines)
  const report = toErrorReport(cause)
  const failed = checks.some(({ passed }) => !passed)
  const reason = report.code === 'DEPLOY_FAILED' && !failed ? reasonIn(log) : null
  const message = reason ? `${service} did not start: ${reason.message}` : report.message
  const told = failed ? [...checks] : [...checks, { name: 'serving' as const, passed: false, text: message.slice(0, 2000) }]
  const notKept = await keep(folder, release, message, told, log)
  if (report.code === 'INTERNAL' && cause instanceof Error) return cause
  const code = report.code === 'NO_SPACE' ? 'DEVICE_NO_SPACE' : telling.has(report.code) ? (report.code as ErrorCode) : 'DEPLOY_FAILED'
  const reasonCode = reason?.code ?? report.code
  return new EdgesmithError(code, message, {
    hint: `${serves} ${reason?.hint ?? report.hint ?? 'The log that comes with this error has its last words.'}`.trim(),
    details: {
      ...report.details,
      release,
      checks: told,
      log,
      ...(reasonCode !== code && { reason: reasonCode }),
      ...(notKept !== null && { notKept }),
    },
  })
}

/** Answers why it could not be kept (a full disk); what served before must come back even then. */
async function keep(folder: ServiceFolder, release: string, reason: string, checks: GateCheck[], log: string): Promise<string | null> {
  const at = new Date().toISOString()
  try {
    await folder.writeFailure(release, { at, reason: reason.slice(0, 4000), checks, log: log.slice(-100_000) })
    await folder.appendEvent({ at, kind: 'failed', release, text: reason })
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The error for checks that were not passed. */
export function notPassed(checks: readonly GateCheck[]): EdgesmithError {
  const failed = checks.filter(({ passed }) => !passed)
  const text = failed.map(({ name, text: said }) => `${name}: ${said}`).join('; ')
  return new EdgesmithError('DEPLOY_FAILED', `The release did not pass its checks: ${text || 'the serving process does not say which'}`, {
    hint: 'It got no request.',
  })
}
