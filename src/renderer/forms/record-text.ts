/** A record as it is written into a field; an empty one is empty. */
export function recordText(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null || Object.keys(value).length === 0 ? '' : JSON.stringify(value)
}

/** What was written as a value: undefined when it is empty, the text itself when it is no JSON. */
export function recordValue(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
