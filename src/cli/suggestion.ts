/** The candidate most like `text` when it is close enough to be a slip of the fingers, otherwise undefined. */
export function closest(text: string, candidates: Iterable<string>): string | undefined {
  // A third of the letters wrong is a slip; more is another word.
  let limit = Math.max(1, Math.floor(text.length / 3)) + 1
  let best: string | undefined
  for (const candidate of candidates) {
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase(), limit)
    if (distance < limit) {
      limit = distance
      best = candidate
    }
  }
  return best
}

/** `Did you mean "x"?` for the closest candidate, or undefined. */
export function didYouMean(text: string, candidates: Iterable<string>): string | undefined {
  const match = closest(text, candidates)
  return match === undefined ? undefined : `Did you mean "${match}"?`
}

/** Optimal string alignment distance (insert, delete, replace, swap of neighbours), `limit` when it is not below that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replace = (last[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1)
      let cost = Math.min((last[column] as number) + 1, (current[column - 1] as number) + 1, replace)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] as number) + 1)
      }
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return Math.min(last[b.length] as number, limit)
}
