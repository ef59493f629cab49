import type { DatasetColumn, SampleView } from '../../../contract/dataset.ts'

/** Values shown of each sample; more do not fit a row, the inspector has them. */
const MAX_COLUMNS = 8

/** Samples as rows of a table. */
export interface TableValues {
  readonly headers: readonly string[]
  /** A row for each sample: numbers, names of categories, null where a sample has fewer values. */
  readonly cells: readonly (readonly (number | string | null)[])[]
}

/** The first values of samples with the names of their columns: those of the table, or `array[0]`. */
export function tableValues(samples: readonly SampleView[], columns: readonly DatasetColumn[] | null): TableValues {
  const arrays = samples[0]?.values ?? []
  const flat = arrays.flatMap(({ array, first }) => first.map((_, index) => ({ array, index }))).slice(0, MAX_COLUMNS)
  const named = columns !== null && arrays.length === 1
  return {
    headers: flat.map(({ array, index }) => (named ? columns[index]?.name : undefined) ?? `${array}[${index}]`),
    cells: samples.map(({ values }) =>
      flat.map(({ array, index }) => {
        const value = values.find((entry) => entry.array === array)?.first[index]
        if (value === undefined) return null
        return (named ? columns[index]?.categories?.[value] : undefined) ?? value
      }),
    ),
  }
}
