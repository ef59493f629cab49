// Control characters, line separators, and the characters that reorder or hide text (bidirectional overrides, zero-width).
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu

/**
 * Text from a model, dataset or device as one line that is safe to show: runs of control and invisible characters become
 * one "·", and it is cut after `limit` characters (code points) with "…".
 */
export function plainText(text: string, limit = 200): string {
  // Cut before replacing as well, so that a name of many megabytes costs nothing. A code point takes at most two units.
  const head = text.length > limit * 4 ? text.slice(0, limit * 4) : text
  const clean = Array.from(head.replace(unprintable, '·').trim())
  return clean.length > limit || head.length < text.length ? `${clean.slice(0, limit).join('')}…` : clean.join('')
}

/** Several lines (logs, JSON): like {@link plainText}, but line ends and tabs stay. */
export function plainLines(text: string, limit = 200_000): string {
  const head = text.length > limit ? `${text.slice(0, limit)}\n…` : text
  return head.replace(/\r\n?/g, '\n').replace(/[^\n\t]+/g, (line) => line.replace(unprintable, '·'))
}

/** The first 12 digits of a hash: enough to tell files apart by eye. */
export function shortHash(sha256: string): string {
  return sha256.slice(0, 12)
}
