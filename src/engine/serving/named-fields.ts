import type { DatasetColumn, DatasetSource } from '../../contract/dataset.ts'
import type { ServiceField } from '../../contract/service.ts'
import { matchTable } from '../../core/datasets/table-columns.ts'
import type { NamedTensors, Port, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'

/** Rows that ranges are taken from. */
const MOST_ROWS = 50_000
const BATCH_ROWS = 1024
/** Bounds are given with so many digits, rounded outwards: they are a limit, not a measurement. */
const DIGITS = 3

/** The columns of a table that feed the values of inputs, in the order of the values. */
export function columnsByInput(source: DatasetSource, inputs: readonly Port[]): ReadonlyMap<string, readonly DatasetColumn[]> {
  const { columns } = source
  if (!columns) return new Map()
  return new Map(
    matchTable(columns, inputs, source.name).map(({ input, columns: taken }) => [
      input.name,
      taken === 'all' ? columns : taken.map((index) => columns[index] as DatasetColumn),
    ]),
  )
}

/**
 * Names of a table's columns for the values of the inputs they feed, with ranges: what the samples had, widened by their whole width to
 * each side, so that a wrong unit or column is found and an unusual sample is not. Categories have exactly their indices.
 *
 * @param raw the table as it is stored, before preprocessing: that is how a service is asked
 */
export function namedFields(
  raw: OpenDataset,
  byInput: ReadonlyMap<string, readonly DatasetColumn[]>,
  progress: (done: number, total: number) => void,
): ServiceField[] {
  const rows = Math.min(raw.sampleCount, MOST_ROWS)
  const ranges = new Map([...byInput].map(([input, columns]) => [input, columns.map(() => ({ min: Infinity, max: -Infinity }))]))
  const batch = raw.fixedBatch ?? BATCH_ROWS
  for (let first = 0; first < rows; first += batch) {
    const indices = Array.from({ length: batch }, (_, place) => Math.floor((Math.min(first + place, rows - 1) * raw.sampleCount) / rows))
    widen(ranges, raw.gather(indices))
    progress(Math.min(first + batch, rows), rows)
  }
  const taken = new Set<string>()
  return [...byInput].flatMap(([input, columns]) =>
    columns.flatMap(({ name, kind, categories }, index): ServiceField[] => {
      // A column may feed two inputs: the name stands for the first.
      if (name === '' || name.length > 200 || taken.has(name)) return []
      taken.add(name)
      const seen = ranges.get(input)?.[index]
      const range = kind === 'category' && categories ? { min: 0, max: categories.length - 1 } : seen && widened(seen)
      return [{ input, index, name, min: range?.min ?? null, max: range?.max ?? null }]
    }),
  )
}

function widen(ranges: ReadonlyMap<string, { min: number; max: number }[]>, feeds: NamedTensors): void {
  for (const [input, columns] of ranges) {
    const { values } = feeds[input] as RuntimeTensor
    const numbers = values as ArrayLike<number | bigint>
    for (let at = 0; at < numbers.length; at++) {
      const value = Number(numbers[at])
      const range = columns[at % columns.length]
      if (!range) continue
      if (value < range.min) range.min = value
      if (value > range.max) range.max = value
    }
  }
}

/** Null bounds for a column that never changes: nothing is known of what else it may be. */
function widened({ min, max }: { min: number; max: number }): { min: number; max: number } | undefined {
  const width = max - min
  if (!(width > 0) || !Number.isFinite(width)) return undefined
  const step = 10 ** (Math.floor(Math.log10(width)) - DIGITS + 1)
  const tidy = (value: number) => Number(value.toPrecision(12))
  return { min: tidy(Math.floor((min - width) / step) * step), max: tidy(Math.ceil((max + width) / step) * step) }
}
