/**
 * A value as one word of a POSIX shell script, whatever it holds: single quotes switch everything off, and a single quote itself
 * is written as `'\''`.
 * Throws a plain error for a NUL, which no shell word can hold: callers pass checked values, so that is a bug.
 * Source: POSIX.1-2017, Shell Command Language, 2.2.2 Single-Quotes.
 * @example shellQuote("it's") === `'it'\\''s'`
 */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new Error('a shell word cannot hold a NUL character')
  return `'${value.replaceAll("'", "'\\''")}'`
}
