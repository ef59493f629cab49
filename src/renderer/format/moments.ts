import { NOTHING } from './numbers.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const dayAndTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const withYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const complete = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** A moment as people say it, seen from `now` (milliseconds): just now, 5 min ago, 3 h ago, 12 Mar, 14:05, 12 Mar 2025. */
export function formatMoment(moment: string | null, now: number): string {
  const time = moment === null ? Number.NaN : Date.parse(moment)
  if (Number.isNaN(time)) return NOTHING
  const age = now - time
  // A clock that is a little ahead is still "now".
  if (age < MINUTE && age > -MINUTE) return 'just now'
  if (age > 0 && age < HOUR) return `${Math.floor(age / MINUTE)} min ago`
  if (age > 0 && age < DAY) return `${Math.floor(age / HOUR)} h ago`
  return Math.abs(age) < 300 * DAY ? dayAndTime.format(time) : withYear.format(time)
}

/** Date and time to the second, in local time. */
export function formatExactMoment(moment: string | null): string {
  const time = moment === null ? Number.NaN : Date.parse(moment)
  return Number.isNaN(time) ? NOTHING : complete.format(time)
}

/** Time of day to the second, in local time: 14:05:12. */
export function formatClock(moment: string): string {
  const time = Date.parse(moment)
  return Number.isNaN(time) ? NOTHING : clock.format(time)
}
