import type { ErrorReport } from '../../contract/errors.ts'

/** A refused call, with the whole report: code, what happened, what to do, facts. */
export class BackendError extends Error {
  readonly report: ErrorReport

  constructor(report: ErrorReport) {
    super(report.message)
    this.name = 'BackendError'
    this.report = report
  }
}

/** An error report that was stored, as an error to show again. */
export function storedError(report: { code: string; message: string; hint?: string | undefined }): BackendError {
  return new BackendError({ ...report, code: report.code as ErrorReport['code'] })
}

/** The report of any error; errors of the window itself become `INTERNAL`. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof BackendError) return error.report
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INTERNAL', message, hint: 'This is a bug in Edgesmith.' }
}

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: Error
  }
}
