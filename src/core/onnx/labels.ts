/** Class names a file may carry: ImageNet-21k has 21,843. */
const MAX_LABELS = 100_000
const MAX_LABEL_LENGTH = 1_000

/** Metadata keys that hold class names: ours first, then what training tools write (Ultralytics `names`, others). */
const KEYS = ['edgesmith.labels', 'labels', 'classes', 'names', 'class_names', 'id2label']

/**
 * Class names from a model's metadata, in the order of the class index; `null` when there are none. Understood are a JSON array, an
 * object or Python dict from index to name (`{0: 'cat', 1: 'dog'}`, complete from 0), a Python list, and lists separated by new lines
 * or commas.
 */
export function findLabels(metadata: ReadonlyMap<string, string>): string[] | null {
  for (const key of KEYS) {
    const text = metadata.get(key)
    const labels = text === undefined ? null : parseLabels(text)
    if (labels) return labels
  }
  return null
}

/** The labels in one metadata value, see {@link findLabels}. */
export function parseLabels(text: string): string[] | null {
  const trimmed = text.trim()
  const labels = /^[[{(]/.test(trimmed) ? fromLiteral(trimmed) : fromLines(trimmed)
  if (!labels || labels.length === 0 || labels.length > MAX_LABELS) return null
  return labels.every((label) => label.length > 0 && label.length <= MAX_LABEL_LENGTH) ? labels : null
}

function fromLines(text: string): string[] | null {
  const parts = (text.includes('\n') ? text.split('\n') : text.split(',')).map((part) => part.trim()).filter((part) => part !== '')
  // A single word is a count or a file name, not a list.
  return parts.length >= 2 ? parts : null
}

/** A string or a whole number of a literal, or one of its marks. */
type Token = { readonly kind: 'text' | 'number'; readonly value: string } | { readonly kind: 'mark'; readonly value: string }

const TOKEN = /\s*(?:(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>-?\d+)|(?<mark>[[\](){}:,]))/sy

function fromLiteral(text: string): string[] | null {
  const tokens = tokenize(text)
  const open = tokens?.[0]?.value
  const close = tokens?.at(-1)?.value
  if (!tokens || !open || !close || `${open}${close}`.match(/^(?:\[]|\{}|\(\))$/) === null) return null
  const items = splitItems(tokens.slice(1, -1))
  if (!items) return null
  return open === '{'
    ? fromPairs(items)
    : items.every((item) => item.length === 1 && item[0]?.kind === 'text')
      ? items.map((item) => item[0]!.value)
      : null
}

function tokenize(text: string): Token[] | null {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const groups = TOKEN.exec(text)?.groups
    if (!groups || tokens.length > 4 * MAX_LABELS + 8) return null
    at = TOKEN.lastIndex
    if (groups.text !== undefined) {
      const value = unquote(groups.text)
      if (value === null) return null
      tokens.push({ kind: 'text', value })
    } else if (groups.number !== undefined) tokens.push({ kind: 'number', value: groups.number })
    else tokens.push({ kind: 'mark', value: groups.mark ?? '' })
  }
  return tokens
}

/** The value of a JSON or Python string literal; `null` for escapes neither knows. */
function unquote(literal: string): string | null {
  const inner = literal.slice(1, -1)
  const json = literal.startsWith('"') ? inner : inner.replace(/\\'/g, "'").replace(/"/g, '\\"')
  try {
    return String(JSON.parse(`"${json}"`))
  } catch {
    return null
  }
}

/** Tokens between commas; a comma at the end is allowed, as in Python. */
function splitItems(tokens: readonly Token[]): Token[][] | null {
  const items: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind === 'mark' && token.value === ',') items.push([])
    else items.at(-1)?.push(token)
  }
  if (items.at(-1)?.length === 0) items.pop()
  return items.some((item) => item.length === 0) ? null : items
}

function fromPairs(items: readonly (readonly Token[])[]): string[] | null {
  const labels: (string | undefined)[] = Array.from({ length: items.length }, () => undefined)
  for (const [key, colon, value, ...rest] of items) {
    if (!key || colon?.value !== ':' || value?.kind !== 'text' || rest.length > 0 || key.kind === 'mark') return null
    const index = /^\d+$/.test(key.value) ? Number(key.value) : -1
    if (index < 0 || index >= labels.length || labels[index] !== undefined) return null
    labels[index] = value.value
  }
  return labels as string[]
}
