/** JSON with indented objects, and lists of plain values on one line: a thousand scores are a paragraph, not a thousand lines. */
export function compactJson(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.every((entry) => entry === null || typeof entry !== 'object'))
      return `[${value.map((entry) => JSON.stringify(entry)).join(', ')}]`
    const inner = `${indent}  `
    return `[\n${value.map((entry) => inner + compactJson(entry, inner)).join(',\n')}\n${indent}]`
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
    if (entries.length === 0) return '{}'
    const inner = `${indent}  `
    return `{\n${entries.map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${compactJson(entry, inner)}`).join(',\n')}\n${indent}}`
  }
  return JSON.stringify(value) ?? 'null'
}
