/**
 * Which label index each class folder gets, from `folder = index` lines or a JSON object; undefined when nothing was typed.
 * A line without an index, and text that looks like JSON and is none, become NaN, which the schema refuses.
 */
export function parseClassMap(text: string): Record<string, number> | undefined {
  const trimmed = text.trim()
  if (!trimmed) return undefined
  if (trimmed.startsWith('{')) return parseJsonMap(trimmed)
  const entries = trimmed
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line): [string, number] => {
      const match = /^(.*\S)\s*[=:,\t]\s*(\d+)$/.exec(line)
      return match?.[1] === undefined ? [line, Number.NaN] : [match[1], Number(match[2])]
    })
  return Object.fromEntries(entries)
}

function parseJsonMap(text: string): Record<string, number> {
  try {
    const parsed: unknown = JSON.parse(text)
    const entries = Object.entries(parsed as object)
    return Object.fromEntries(entries.map(([name, index]) => [name, typeof index === 'number' ? index : Number.NaN]))
  } catch {
    return { [text.slice(0, 40)]: Number.NaN }
  }
}
