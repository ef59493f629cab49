import { CoreError } from '../core-error.ts'
import type { RandomSource } from '../statistics/seeded-random.ts'

/** A part that samples are dealt to. */
export interface SplitPart {
  readonly name: string
  /** Of all samples; the shares of all parts add up to 1 at most. */
  readonly share: number
}

/**
 * Deals samples to parts at random, each to one part at most. Within each class (or among all) the sizes follow the shares by largest
 * remainders, so no part is off by one sample or more, and the remainders of all classes are spread so that the parts as wholes keep their shares, too.
 *
 * @param labels class of each sample for a stratified split; undefined: all samples are alike
 * @returns for each part the indices of its samples, ascending
 * @throws CoreError `USAGE` for shares beyond 1, or a part that would stay empty
 */
export function splitRows(count: number, parts: readonly SplitPart[], labels: Int32Array | undefined, random: RandomSource): Int32Array[] {
  const total = parts.reduce((sum, { share }) => sum + share, 0)
  // Shares such as 0.7 + 0.2 + 0.1 add up to a little more than 1 in binary.
  if (total > 1 + 1e-9) {
    throw new CoreError('USAGE', `The shares of the parts add up to ${Number(total.toFixed(6))}, at most 1 is possible.`, {
      hint: 'Make the shares smaller; what is left over belongs to no part.',
      details: { expected: 1, found: total },
    })
  }
  // What belongs to no part is a part that is thrown away.
  const shares = [...parts.map(({ share }) => share), Math.max(0, 1 - total)]
  const chosen: number[][] = shares.map(() => [])
  // How far each part is behind its share of the samples dealt so far.
  const behind = shares.map(() => 0)
  for (const rows of strata(count, labels)) {
    shuffle(rows, random)
    let at = 0
    for (const [part, size] of dealt(rows.length, shares, behind).entries()) {
      for (const row of rows.subarray(at, at + size)) chosen[part]?.push(row)
      at += size
    }
  }
  return parts.map(({ name }, part) => {
    const rows = Int32Array.from(chosen[part] ?? []).sort()
    if (rows.length > 0) return rows
    throw new CoreError('USAGE', `The part "${name}" would be empty: there are ${count} samples.`, { hint: 'Give it a larger share.' })
  })
}

/** Samples of each class, classes in ascending order. */
function strata(count: number, labels: Int32Array | undefined): Int32Array[] {
  if (!labels) return [Int32Array.from({ length: count }, (_, row) => row)]
  const sizes = new Map<number, number>()
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  const classes = [...sizes].sort(([a], [b]) => a - b).map(([label, size]) => ({ label, rows: new Int32Array(size), filled: 0 }))
  const byLabel = new Map(classes.map((entry) => [entry.label, entry]))
  labels.forEach((label, row) => {
    const entry = byLabel.get(label)
    if (entry) entry.rows[entry.filled++] = row
  })
  return classes.map(({ rows }) => rows)
}

/** Sizes of the parts of one class: whole samples by share, the rest to the parts that are furthest behind. `behind` is brought up to date. */
function dealt(count: number, shares: readonly number[], behind: number[]): number[] {
  const sizes = shares.map((share) => Math.floor(share * count + 1e-9))
  shares.forEach((share, part) => {
    behind[part] = (behind[part] as number) + share * count - (sizes[part] as number)
  })
  for (let rest = count - sizes.reduce((sum, size) => sum + size, 0); rest > 0; rest--) {
    const part = behind.indexOf(Math.max(...behind))
    sizes[part] = (sizes[part] as number) + 1
    behind[part] = (behind[part] as number) - 1
  }
  return sizes
}

/** Fisher and Yates. */
function shuffle(rows: Int32Array, random: RandomSource): void {
  for (let index = rows.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    const kept = rows[index] as number
    rows[index] = rows[other] as number
    rows[other] = kept
  }
}
