import { formatSignificant, isShowable, NOTHING } from './numbers.ts'

/** A latency in milliseconds with three significant digits: 0.0177 ms, 1.23 ms, 1,234 ms. */
export function formatMs(milliseconds: number | null | undefined): string {
  return isShowable(milliseconds) ? `${formatSignificant(milliseconds)} ms` : NOTHING
}

/** A time span for people: 350 ms, 4.2 s, 12 s, 1 min 12 s, 2 h 3 min, 3 d 4 h. */
export function formatSpan(milliseconds: number | null | undefined): string {
  if (!isShowable(milliseconds)) return NOTHING
  if (milliseconds < 999.5) return `${Math.max(0, Math.round(milliseconds))} ms`
  const seconds = milliseconds / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  return formatWholeSeconds(Math.round(seconds))
}

/** Running time of a job, in whole seconds so that it does not flicker: 0 s, 12 s, 1 min 12 s. */
export function formatElapsed(milliseconds: number): string {
  return formatWholeSeconds(Math.max(0, Math.floor(milliseconds / 1000)))
}

function formatWholeSeconds(total: number): string {
  if (total < 60) return `${total} s`
  const minutes = Math.floor(total / 60)
  if (minutes < 60) return `${minutes} min ${total % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}
