/**
 * Patterns as OpenSSH's match.c reads them: `*` is any run of characters, `?` any single one; nothing can be escaped.
 * Linear in both lengths but for one factor, unlike a regular expression made from a stranger's pattern.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let star = -1
  let retry = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++retry
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** Patterns with commas between them: true when one matches and none with a `!` before it does, wherever that stands. */
export function matchesPatternList(patterns: string, name: string): boolean {
  let matched = false
  for (const pattern of patterns.split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}
