/** Control and format characters (bidirectional overrides, zero-width), line and paragraph separators, lone surrogates, private use. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu

/** Longest name or reason that is shown whole; longer ones are nobody's reading. */
const LINE_LIMIT = 400

/**
 * Text from a model, dataset or device as one line that is safe on paper and in a terminal: runs of control and invisible
 * characters (escape sequences among them) become one "·", and it is cut after `limit` code units with "…".
 */
export function plainLine(text: string, limit: number = LINE_LIMIT): string {
  const head = text.length > limit ? text.slice(0, limit).trimEnd() : text
  return plainSpan(head, limit).trim() + (text.length > limit ? '…' : '')
}

/** Part of a line: like {@link plainLine}, but spaces at its ends stay. */
export function plainSpan(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit).replace(unprintable, '·')}…` : text.replace(unprintable, '·')
}

/** Several lines: like {@link plainLine}, but line ends stay and tabs become spaces, and nothing is cut. */
export function plainLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '  ')
    .replace(/[^\n]+/g, (line) => line.replace(unprintable, '·'))
}
