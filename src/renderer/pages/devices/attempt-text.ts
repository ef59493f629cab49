import type { DeviceLink } from '../../../contract/device-link.ts'

/** "next attempt in 5 s", or "trying now" when that moment has come. */
export function attemptText({ attempts, nextAttemptAt }: Pick<DeviceLink, 'attempts' | 'nextAttemptAt'>, nowMs: number): string {
  const at = nextAttemptAt === null ? Number.NaN : Date.parse(nextAttemptAt)
  const seconds = Math.ceil((at - nowMs) / 1000)
  const tried = attempts > 0 ? `, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} so far` : ''
  return seconds > 0 ? `next attempt in ${seconds} s${tried}` : `trying now${tried}`
}
