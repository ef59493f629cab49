import { matchesWildcards } from '../core/wildcards.ts'

/** Patterns of OpenSSH's match.c with commas between them: true when one matches and none with a `!` before it does, wherever that stands. */
export function matchesPatternList(patterns: string, name: string): boolean {
  let matched = false
  for (const pattern of patterns.split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesWildcards(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}
