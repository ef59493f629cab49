/** One place of a pattern: `*` for any run of characters, `?` for one, another character for itself, or what says whether one fits. */
export type PatternPiece = string | ((character: string) => boolean)

/**
 * Whether a text fits a pattern from its beginning to its end. Greedy with one step back to the last `*`: the product of the lengths at
 * most, whatever the pattern of a stranger holds, unlike a regular expression made from it.
 *
 * @param pattern in a string, whose characters are its pieces, nothing can be escaped
 */
export function matchesWildcards(pattern: ArrayLike<PatternPiece>, text: string): boolean {
  let [at, star, resume] = [0, -1, 0]
  for (let index = 0; index < text.length; ) {
    const piece = pattern[at]
    if (piece === '*') {
      star = at++
      resume = index
    } else if (typeof piece === 'function' ? piece(text[index] as string) : piece === '?' || piece === text[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
