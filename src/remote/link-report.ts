import type { DeviceLink } from '../contract/device-link.ts'
import { toErrorReport } from '../contract/errors.ts'

/** State of a link, as the window shows it. */
export type LinkReport = Omit<DeviceLink, 'deviceId' | 'since'>

/** An error as it is shown. */
export function plainReport(error: unknown): NonNullable<LinkReport['error']> {
  const { code, message, hint, details } = toErrorReport(error)
  return { code, message, ...(hint !== undefined && { hint }), ...(details && { details: { ...details } }) }
}
