import { basename } from 'node:path'
import type { CsvOptions, DatasetColumn } from '../../../contract/dataset.ts'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { JobReporter } from '../../../contract/job.ts'
import { ColumnFacts, isMissing, numberOf, type TextMemory } from '../../../core/datasets/table-column.ts'
import { type PlannedColumn, planTable, type TablePlan } from '../../../core/datasets/table-plan.ts'
import { quoteName } from '../../../core/onnx/quote-name.ts'
import { ArrayWriter, type StoredArray } from './array-writer.ts'
import { openTable, type TableFile, tableRows } from './read-table.ts'
import { freshPath, IMPORT_LIMITS, type ImportOrder, progressEvery, type UnpackedDataset } from './unpacked.ts'

const PROGRESS_BYTES = 1 << 20
/** Parts that a column of splits may name. */
const MAX_SPLITS = 10

/**
 * Reads a .csv twice: once to find out what each column is, once to write the numbers. Memory does not grow with the rows.
 * The arrays are `features` float32 [N,F], and `labels` int32 [N] or `targets` float32 [N].
 *
 * @throws EdgesmithError or CoreError naming line and column: `DATASET_INVALID`, `DATASET_EMPTY`, `DATASET_LABELS`, `TOO_LARGE`, `USAGE`
 */
export function importTable(order: ImportOrder, reporter: JobReporter): UnpackedDataset {
  const options: CsvOptions = order.csv ?? { missing: 'refuse' }
  const table = openTable(order.path, basename(order.path), options.delimiter)
  const memory: TextMemory = { remembered: 0 }
  const facts = table.header.map((name) => new ColumnFacts(name, memory))
  const rows = gatherFacts(table, facts, reporter)
  const plan = planTable(facts, rows, { ...options, classes: order.classes }, table.name)
  const written = writeArrays(table, plan, options.missing === 'drop-row', order.outFolder, reporter)
  const dropped = rows - written.rows
  const notes = [
    ...plan.notes,
    ...(dropped > 0 ? [`${dropped} of ${rows} rows are left out because a cell is empty.`] : []),
    ...missingNotes(plan, options),
  ]
  if (written.rows === 0) {
    throw new EdgesmithError('DATASET_EMPTY', `${table.name} has no row without empty cells.`, {
      hint: 'Leave out the columns that are mostly empty, or take the mean for missing values.',
    })
  }
  return {
    format: 'csv',
    arrays: written.arrays,
    originals: undefined,
    preprocessing: order.preprocessing ?? {},
    columns: plan.features.map(
      ({ name, kind, categories, missing }): DatasetColumn => ({ name, kind, categories: categories && [...categories], missing }),
    ),
    classNames: plan.label?.classNames ?? null,
    splits: written.splits,
    notes,
  }
}

function gatherFacts(table: TableFile, facts: readonly ColumnFacts[], reporter: JobReporter): number {
  const report = progressEvery(reporter, 'reading the columns', table.sizeBytes, 'bytes', PROGRESS_BYTES)
  let rows = 0
  for (const { cells, line } of tableRows(table, report)) {
    if (++rows > IMPORT_LIMITS.samples) {
      throw new EdgesmithError('TOO_LARGE', `${table.name} has more than ${IMPORT_LIMITS.samples} rows.`, {
        details: { limit: IMPORT_LIMITS.samples },
      })
    }
    for (let index = 0; index < facts.length; index++) facts[index]?.add(cells[index] as string, line)
  }
  if (rows > 0) return rows
  throw new EdgesmithError('DATASET_EMPTY', `${table.name} has a header and no rows.`)
}

interface WrittenTable {
  readonly rows: number
  readonly arrays: StoredArray[]
  readonly splits: UnpackedDataset['splits']
}

function writeArrays(table: TableFile, plan: TablePlan, dropRows: boolean, outFolder: string, reporter: JobReporter): WrittenTable {
  const report = progressEvery(reporter, 'writing the numbers', table.sizeBytes, 'bytes', PROGRESS_BYTES)
  const { features: columns, label, split } = plan
  const features = new ArrayWriter(freshPath(outFolder), 'features', 'float32', [columns.length])
  const isClass = label?.task === 'classification'
  const answers = label && new ArrayWriter(freshPath(outFolder), isClass ? 'labels' : 'targets', isClass ? 'int32' : 'float32', [])
  const encoders = columns.map((column) => encoderFor(column, table.name))
  const encodeLabel = label && encoderFor(label, table.name)
  const parts = new Map<string, number[]>()
  let rows = 0
  try {
    const values = new Float32Array(columns.length)
    for (const { cells, line } of tableRows(table, report)) {
      if (dropRows && hasMissing(cells, plan)) continue
      encoders.forEach((encode, place) => {
        values[place] = encode(cells, line)
      })
      features.write(values)
      if (encodeLabel) answers?.write((isClass ? Int32Array : Float32Array).of(encodeLabel(cells, line)))
      if (split) addToPart(parts, cells[split.index] as string, rows, split.name, table.name)
      rows++
    }
    const arrays = [features.finish(), ...(answers ? [answers.finish()] : [])]
    const splits = [...parts].map(([name, own]) => ({ name, rows: Int32Array.from(own) }))
    return { rows, arrays, splits }
  } finally {
    features.discard()
    answers?.discard()
  }
}

/** Makes the number of a cell. What was found when the column was looked at holds, unless the file was changed meanwhile. */
function encoderFor(column: PlannedColumn, file: string): (cells: readonly string[], line: number) => number {
  const { index, kind, comma, categories, fill, name } = column
  const changed = (line: number, cell: string) =>
    new EdgesmithError(
      'DATASET_INVALID',
      `${file}, line ${line}, column ${quoteName(name)}: found ${quoteName(cell)}, which was not there a moment ago.`,
      {
        hint: 'The file is being changed. Import it again when it is complete.',
      },
    )
  const indices = categories && new Map(categories.map((text, at) => [text, at]))
  return (cells, line) => {
    const cell = cells[index] as string
    if (isMissing(cell, kind)) return fill
    const value = indices ? indices.get(cell) : numberOf(cell, comma)
    if (value === undefined || Number.isNaN(value)) throw changed(line, cell)
    return value
  }
}

function hasMissing(cells: readonly string[], { features, label }: TablePlan): boolean {
  const missing = ({ index, kind }: PlannedColumn) => isMissing(cells[index] as string, kind)
  return features.some(missing) || (label !== null && missing(label))
}

function addToPart(parts: Map<string, number[]>, name: string, row: number, column: string, file: string): void {
  const rows = parts.get(name)
  if (rows) rows.push(row)
  else if (parts.size < MAX_SPLITS) parts.set(name, [row])
  else {
    throw new EdgesmithError('TOO_LARGE', `Column ${quoteName(column)} of ${file} names more than ${MAX_SPLITS} splits.`, {
      hint: 'A column of splits holds words such as train and test.',
      details: { column, limit: MAX_SPLITS },
    })
  }
}

function missingNotes({ features }: TablePlan, { missing: policy }: CsvOptions): string[] {
  if (policy !== 'mean' && policy !== 'zero') return []
  return features
    .filter(({ missing }) => missing > 0)
    .slice(0, 20)
    .map(({ name, missing, kind, categories, fill }) => {
      const value = kind === 'number' ? String(Number(fill.toPrecision(6))) : quoteName(categories?.[fill] ?? '')
      return `${missing} empty ${missing === 1 ? 'cell' : 'cells'} of column ${quoteName(name)} became ${value}.`
    })
}
