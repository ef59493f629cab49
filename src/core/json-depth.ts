const QUOTE = 34
const BACKSLASH = 92

/**
 * Whether JSON text nests arrays and objects deeper than `limit`. Asked before parsing text from strangers: a few megabytes of "["
 * parse into hundreds of megabytes of arrays, and recursive code that walks them runs out of stack. Text that is not JSON gets
 * some answer; the parser then refuses it.
 */
export function isNestedDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (character === QUOTE) {
      i = endOfString(text, i)
      if (i < 0) return false
    } else if (character === 91 || character === 123) {
      if (++depth > limit) return true
    } else if (character === 93 || character === 125) depth--
  }
  return false
}

/** What a byte does to the depth of JSON: 0 nothing, 1 opens, 2 closes, 3 starts or ends a string. */
const ROLES = new Uint8Array(256)
ROLES[91] = ROLES[123] = 1
ROLES[93] = ROLES[125] = 2
ROLES[QUOTE] = 3

/** {@link isNestedDeeperThan} for UTF-8, several times as fast: a table instead of comparisons, as most bytes are digits. */
export function areBytesNestedDeeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0
  const { length } = bytes
  for (let i = 0; i < length; i++) {
    const role = ROLES[bytes[i] as number] as number
    if (role === 0) continue
    if (role === 1) {
      if (++depth > limit) return true
    } else if (role === 2) depth--
    else {
      // Behind the quote that ends it; a backslash takes the next byte with it.
      for (i++; i < length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++
    }
  }
  return false
}

/** Index of the quote that closes the string opened at `start`, −1 when it is never closed. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return -1
}
