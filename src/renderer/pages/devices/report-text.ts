import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

/** A text the device said, or that it did not. */
export function saidText(value: string | null, limit = 200): string {
  return value === null ? 'not readable' : plainText(value, limit)
}

/** A clock the device said, or that it did not. */
export function mhzText(mhz: number | null): string {
  return mhz === null ? 'not readable' : `${formatCount(mhz)} MHz`
}

/** A yes or no the device said, or that it did not. */
export function yesText(value: boolean | null, yes: string, no: string): string {
  return value === null ? 'not readable' : value ? yes : no
}
