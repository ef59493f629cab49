/** How the samples of a dataset are spread over its classes. */
export interface Balance {
  /** By class index. Classes that are named and have no sample are there with 0. */
  readonly rows: readonly { readonly index: number; readonly name: string | null; readonly count: number; readonly share: number }[]
  readonly samples: number
  /** Samples of the largest class for one of the smallest; null where a class has none. */
  readonly imbalance: number | null
}

/**
 * Counts by class as the report of a dataset gives them, with the names of the classes where they have some.
 *
 * @param counts samples by class index (as text)
 */
export function balanceOf(counts: Readonly<Record<string, number>>, names: readonly string[] | null): Balance {
  const byIndex = new Map(Object.entries(counts).map(([index, count]) => [Number(index), count]))
  for (let index = 0; index < (names?.length ?? 0); index++) if (!byIndex.has(index)) byIndex.set(index, 0)
  const samples = [...byIndex.values()].reduce((sum, count) => sum + count, 0)
  const rows = [...byIndex]
    .sort(([a], [b]) => a - b)
    .map(([index, count]) => ({ index, name: names?.[index] ?? null, count, share: samples > 0 ? count / samples : 0 }))
  const smallest = rows.reduce((least, { count }) => Math.min(least, count), Number.POSITIVE_INFINITY)
  const largest = rows.reduce((most, { count }) => Math.max(most, count), 0)
  return { rows, samples, imbalance: rows.length > 0 && smallest > 0 ? largest / smallest : null }
}
