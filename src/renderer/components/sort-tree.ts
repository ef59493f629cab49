/** By which column a table is sorted. */
export interface SortOrder {
  readonly key: string
  readonly descending: boolean
}

/**
 * Sorts rows by a value, stable, missing values last. With `parentKey` rows are sorted among their siblings and stay below their
 * parent; a row whose parent is not in the list counts as a root.
 */
export function sortTree<Row>(
  rows: readonly Row[],
  rowKey: (row: Row) => string,
  parentKey: ((row: Row) => string | null) | undefined,
  value: (row: Row) => number | string | null,
  descending: boolean,
): Row[] {
  const sorted = [...rows].sort((a, b) => compareValues(value(a), value(b), descending))
  return parentKey ? arrangeTree(sorted, rowKey, parentKey) : sorted
}

/** Puts every row directly after its parent, siblings in the given order. */
export function arrangeTree<Row>(rows: readonly Row[], rowKey: (row: Row) => string, parentKey: (row: Row) => string | null): Row[] {
  const present = new Set(rows.map(rowKey))
  const children = new Map<string | null, Row[]>()
  for (const row of rows) {
    const parent = parentKey(row)
    const under = parent !== null && present.has(parent) ? parent : null
    children.set(under, [...(children.get(under) ?? []), row])
  }
  const arranged: Row[] = []
  const visit = (row: Row): void => {
    arranged.push(row)
    for (const child of children.get(rowKey(row)) ?? []) visit(child)
  }
  for (const root of children.get(null) ?? []) visit(root)
  return arranged
}

function compareValues(a: number | string | null, b: number | string | null, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true })
  return descending ? -order : order
}
