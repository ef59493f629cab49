/** Longest part of a foreign name that a message repeats. */
const SHOWN = 120

/** A name from a file for use in a message: quoted, control characters escaped, cut to a readable length. */
export function quoteName(name: string): string {
  const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Names for a message: quoted, comma separated, at most `most` of them. */
export function quoteNames(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map(quoteName).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
