/** A message as text format writes it: every field with all its values. */
export type ReadMessage = Map<string, ReadValue[]>
export type ReadValue =
  | { readonly kind: 'text' | 'number' | 'word'; readonly value: string }
  | { readonly kind: 'message'; readonly value: ReadMessage }

const token = /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*")|(-?\d[\w.+-]*)|([A-Za-z_]\w*)|([{}[\]:,])/y

/** Reads protobuf's text format, as far as config.pbtxt uses it. Written after the specification, apart from what writes it. */
export function readProtoText(text: string): ReadMessage {
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const found = token.exec(text)
    if (!found) throw new Error(`unreadable at ${text.slice(at, at + 20)}`)
    const word = found[1] ?? found[2] ?? found[3] ?? found[4]
    if (word !== undefined) tokens.push(word)
  }
  let next = 0
  const take = (expected?: string): string => {
    const word = tokens[next++]
    if (word === undefined || (expected !== undefined && word !== expected))
      throw new Error(`expected ${expected ?? 'more'}, found ${word}`)
    return word
  }
  const value = (): ReadValue => {
    if (tokens[next] === '{') return { kind: 'message', value: message('}') }
    const word = take()
    if (word.startsWith('"')) return { kind: 'text', value: unquoted(word) }
    return { kind: /^-?\d/.test(word) ? 'number' : 'word', value: word }
  }
  const message = (end?: string): ReadMessage => {
    if (end) take('{')
    const fields: ReadMessage = new Map()
    while (next < tokens.length && tokens[next] !== end) {
      const name = take()
      if (tokens[next] === ':') take()
      const values: ReadValue[] = []
      if (tokens[next] === '[') {
        take('[')
        while (tokens[next] !== ']') {
          values.push(value())
          if (tokens[next] !== ']') take(',')
        }
        take(']')
      } else values.push(value())
      fields.set(name, [...(fields.get(name) ?? []), ...values])
    }
    if (end) take(end)
    return fields
  }
  return message()
}

function unquoted(word: string): string {
  const bytes: number[] = []
  const inner = word.slice(1, -1)
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] !== '\\') bytes.push(inner.charCodeAt(at))
    else if (/[0-7]/.test(inner[at + 1] as string)) {
      bytes.push(Number.parseInt(inner.slice(at + 1, at + 4), 8))
      at += 3
    } else bytes.push(inner.charCodeAt(++at))
  }
  return Buffer.from(bytes).toString('utf8')
}
