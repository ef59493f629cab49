/** Long enough for every honest value a device reports, short enough for one line of a table. */
const longestShown = 300

// ANSI sequences first (CSI, OSC, two-byte escapes), so that their letters do not stay behind when the escape character goes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const ansiSequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g
/** C0 and C1 controls, and the marks that reverse or hide text (bidirectional overrides, zero-width, line separators). */
const hiddenCharacters = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu

/** Text from a device as one line that is safe to show: no control characters, white space collapsed, at most `limit` characters. */
export function shownText(text: string, limit = longestShown): string {
  // Cut first: no pattern runs over more than was asked for.
  const plain = text
    .slice(0, limit * 4)
    .replace(ansiSequences, '')
    .replace(/\s+/g, ' ')
    .replace(hiddenCharacters, '')
    .trim()
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain
}

/** Text of several lines from a device (a log): every line as {@link shownText} makes it but with its indentation, empty last line dropped. */
export function shownLines(text: string, maxLines: number, maxLineLength = 2000): string {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
    .slice(-maxLines)
    .map((line) => {
      const plain = line.slice(0, maxLineLength).replace(ansiSequences, '').replaceAll('\t', '  ').replace(hiddenCharacters, '')
      return line.length > maxLineLength ? `${plain}…` : plain
    })
    .join('\n')
}
