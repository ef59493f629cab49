import type { DeviceLogLine } from '../../../contract/device-link.ts'
import { plainText } from '../../format/plain-text.ts'

/** The whole log as text, one line each with its moment (ISO 8601). */
export function logText(lines: readonly DeviceLogLine[]): string {
  return lines.map(({ at, text }) => `${at} ${plainText(text, 2000)}\n`).join('')
}
