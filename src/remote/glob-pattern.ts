import { matchesWildcards, type PatternPiece } from '../core/wildcards.ts'

/**
 * Whether a file name fits a pattern of glob(7): `*`, `?`, `[abc]`, `[a-z]`, `[!a]`, `\` protects. A leading dot is matched only by a dot.
 * Takes time in proportion to the product of the lengths at most.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  return matchesWildcards(piecesOf(pattern), name)
}

function piecesOf(pattern: string): PatternPiece[] {
  const pieces: PatternPiece[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    // A `]` right behind the bracket belongs to the set; a bracket that nothing closes stands for itself.
    const end = character === '[' ? pattern.indexOf(']', at + (pattern[at + 1] === '!' || pattern[at + 1] === '^' ? 3 : 2)) : -1
    if (character === '*') pieces.push('*')
    else if (character === '?') pieces.push('?')
    else if (end > 0) {
      pieces.push(setOf(pattern.slice(at + 1, end)))
      at = end
    } else {
      const literal = character === '\\' && at + 1 < pattern.length ? pattern[++at] : character
      pieces.push((other) => other === literal)
    }
  }
  return pieces
}

function setOf(set: string): (character: string) => boolean {
  const negated = /^[!^]/.test(set)
  const members = negated ? set.slice(1) : set
  return (character) => {
    let inside = false
    for (let at = 0; at < members.length; at++) {
      const last = members[at + 1] === '-' ? members[at + 2] : undefined
      if (last === undefined) inside ||= members[at] === character
      else {
        inside ||= (members[at] ?? '') <= character && character <= last
        at += 2
      }
    }
    return inside !== negated
  }
}
