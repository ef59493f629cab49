/** Characters of a name that are compared: names of exporters differ early or are whole paths. */
const COMPARED = 100
/** Names compared letter by letter; each costs up to COMPARED² steps. */
const MOST_NAMES = 5000

/**
 * Names a mistyped one may have meant, best first: equal but for case, containing it or contained in it, then by the number
 * of letters to change.
 */
export function nearNames(wanted: string, names: readonly string[], most = 5): string[] {
  const target = wanted.slice(0, COMPARED).toLowerCase()
  const scored = names.slice(0, MOST_NAMES).map((name) => ({ name, distance: distanceTo(target, name.slice(0, COMPARED).toLowerCase()) }))
  const near = scored.filter(({ distance }) => distance <= Math.max(2, target.length / 2))
  return near
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ name }) => name)
}

function distanceTo(wanted: string, name: string): number {
  if (name === wanted) return 0
  // Part of it: closer than any other change, longer remainders later.
  if (wanted.length > 1 && name.length > 1 && (name.includes(wanted) || wanted.includes(name)))
    return 1 - 1 / (1 + Math.abs(name.length - wanted.length))
  return editDistance(wanted, name)
}

/** Letters to insert, delete or replace (Levenshtein 1966), one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
