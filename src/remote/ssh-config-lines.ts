/** One line of an SSH client configuration. */
export interface ConfigLine {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** In lower case. */
  readonly keyword: string
  /** What follows the keyword, as written. */
  readonly rest: string
  /** What follows the keyword as words, without quotes and comments; null when a quote is not closed. */
  readonly words: readonly string[] | null
}

/**
 * Splits one line as OpenSSH does (strdelim and argv_split in misc.c): the keyword ends with white space or one `=`; words may stand in
 * `"` or `'`, `\` protects quotes, itself and, outside quotes, a space; a `#` that begins a word begins a comment.
 * @returns null for an empty line and a comment
 */
export function parseConfigLine(text: string, file: string, line: number): ConfigLine | null {
  const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n\f]+$/g, '')
  if (trimmed === '' || trimmed.startsWith('#')) return null
  const [keyword, rest] = cutWord(trimmed)
  return { file, line, keyword: keyword.toLowerCase(), rest, words: splitWords(rest) }
}

/** The words of a `Match` line, in which `=` separates like a space, only `"` quotes, and nothing is protected. */
export function matchWords(rest: string): string[] {
  const words: string[] = []
  let left = rest
  while (left !== '') {
    const [word, after] = cutWord(left)
    if (word.startsWith('#')) break
    words.push(word)
    left = after
  }
  return words
}

/** The first word, and what follows it. */
function cutWord(text: string): [word: string, rest: string] {
  if (text.startsWith('"')) {
    const end = text.indexOf('"', 1)
    return end < 0 ? [text.slice(1), ''] : [text.slice(1, end), text.slice(end + 1).replace(/^[ \t\r\n]+/, '')]
  }
  const end = text.search(/[ \t\r\n"=]/)
  if (end < 0) return [text, '']
  const after = text.slice(end)
  // One `=` with white space on either side counts as a separator, a second one belongs to the value.
  return [text.slice(0, end), after.startsWith('"') ? after : after.replace(/^[ \t\r\n]*=?[ \t\r\n]*/, '')]
}

function splitWords(text: string): string[] | null {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at++
    if (at >= text.length || text[at] === '#') return words
    let word = ''
    let quote = ''
    for (; at < text.length; at++) {
      const character = text[at] ?? ''
      const next = text[at + 1] ?? ''
      if (character === '\\' && (next === "'" || next === '"' || next === '\\' || (quote === '' && next === ' '))) {
        word += next
        at++
      } else if (quote === '' && (character === ' ' || character === '\t')) break
      else if (quote === '' && (character === '"' || character === "'")) quote = character
      else if (quote !== '' && character === quote) quote = ''
      else word += character
    }
    if (quote !== '') return null
    words.push(word)
  }
}
