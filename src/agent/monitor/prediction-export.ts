import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { EdgesmithError } from '../../contract/errors.ts'
import type { PredictionPage, PredictionPageRequest } from '../../contract/service-protocol.ts'
import { checkIdentity, notALog, type RowLayout, type Stored } from './prediction-log-file.ts'
import { openDatabase } from './sqlite.ts'

/** Rows read at once: no transaction is open in between, which would keep the writer from moving its write-ahead log. */
const ROWS_AT_ONCE = 500
/** A page ends behind the rows that exceed this: it is made on the thread that answers predictions. */
const PAGE_CHARACTERS = 1_000_000

interface StoredRow {
  readonly id: number
  readonly at_ms: number
  readonly layout: string
  readonly request_id: string
  readonly latency_ms: number
  readonly class: number | null
  readonly confidence: number | null
  readonly numbers: Uint8Array
  readonly texts: string | null
}

/** A row with its values by name; values that are no numbers are null. */
interface ReadRow {
  readonly time: string
  readonly request_id: string
  readonly version: string
  readonly latency_ms: number
  readonly class: number | null
  readonly confidence: number | null
  readonly inputs: Readonly<Record<string, Values>>
  readonly outputs: Readonly<Record<string, Values>>
}

/** Null where it was too long to be logged. */
type Values = readonly (number | string | null)[] | null

/**
 * Rows of a prediction log as text, oldest first, part by part; may be read while a service writes. CSV has a header (in the first part) and one column for each value,
 * `input.NAME[INDEX]` and `output.NAME[INDEX]`; JSON lines have `inputs` and `outputs` by name. float32 values are written with as many digits as
 * tell them apart.
 *
 * @param after id of the last row that is known, 0 for none
 * @param newest of the first part: rows that came later are left out, and have no columns. Null asks for it
 * @throws EdgesmithError `FILE_NOT_FOUND`, `WORKSPACE_INVALID`
 */
export function predictionPage(path: string, { format, after, newest: known }: PredictionPageRequest): PredictionPage {
  if (!existsSync(path)) throw new EdgesmithError('FILE_NOT_FOUND', `There is no prediction log at ${path}.`)
  const database = openDatabase(path, { readOnly: true })
  try {
    checkIdentity(database, path)
    const newest = known ?? newestRow(database)
    const columns = format === 'csv' ? csvColumns(database, newest) : []
    const parts = format === 'csv' && after === 0 ? [csvHeader(columns)] : []
    const layouts = new Map<string, RowLayout>()
    let last = after
    let [length, count] = [0, 0]
    for (const rows of chunks(database, newest, after)) {
      const text = textOf(rows, format, columns, layouts)
      parts.push(text)
      length += text.length
      count += rows.length
      last = (rows.at(-1) as StoredRow).id
      if (length > PAGE_CHARACTERS) return { text: parts.join(''), rows: count, after: last, newest, done: last >= newest }
    }
    return { text: parts.join(''), rows: count, after: last, newest, done: true }
  } catch (error) {
    throw notALog(error, path)
  } finally {
    database.close()
  }
}

function newestRow(database: DatabaseSync): number {
  return (database.prepare('SELECT coalesce(max(id), 0) AS newest FROM predictions').get() as { newest: number }).newest
}

function csvHeader(columns: readonly CsvColumn[]): string {
  return `${[...FIXED_COLUMNS, ...columns.map(({ title }) => title)].map(csvText).join(',')}\n`
}

function textOf(
  rows: readonly StoredRow[],
  format: PredictionPageRequest['format'],
  columns: readonly CsvColumn[],
  layouts: Map<string, RowLayout>,
): string {
  const lines = rows.map((row) => {
    const read = readRow(row, layoutOf(row.layout, layouts))
    return `${format === 'csv' ? csvLine(read, columns) : JSON.stringify(read)}\n`
  })
  return lines.join('')
}

function* chunks(database: DatabaseSync, newest: number, after: number): Generator<StoredRow[]> {
  const select = database.prepare(
    `SELECT p.id, at_ms, layout, request_id, latency_ms, class, confidence, numbers, texts
     FROM predictions p JOIN layouts l ON l.id = p.layout_id
     WHERE p.id > ? AND p.id <= ? ORDER BY p.id LIMIT ${ROWS_AT_ONCE}`,
  )
  for (let last = after; ; ) {
    const rows = select.all(last, newest) as unknown as StoredRow[]
    if (rows.length === 0) return
    yield rows
    last = (rows.at(-1) as StoredRow).id
  }
}

function layoutOf(text: string, known: Map<string, RowLayout>): RowLayout {
  const found = known.get(text)
  if (found) return found
  const layout = JSON.parse(text) as RowLayout
  known.set(text, layout)
  return layout
}

function readRow({ at_ms, request_id, latency_ms, class: index, confidence, numbers, texts }: StoredRow, layout: RowLayout): ReadRow {
  const view = new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  const lists = texts === null ? [] : (JSON.parse(texts) as string[][])
  let nextValue = 0
  let nextList = 0
  const read = (stored: Stored): Values => {
    if (stored === 'left out') return null
    if (stored === 'texts') return lists[nextList++] ?? null
    return Array.from({ length: stored }, () => shortest(view.getFloat32(4 * nextValue++, true)))
  }
  const byName = (pairs: RowLayout['inputs']) => Object.fromEntries(pairs.map(([name, stored]) => [name, read(stored)] as const))
  const inputs = byName(layout.inputs)
  const outputs = byName(layout.outputs)
  const time = new Date(at_ms).toISOString()
  return { time, request_id, version: layout.version, latency_ms, class: index, confidence, inputs, outputs }
}

/** A number of six to nine digits that is this float32 and no other. */
function shortest(value: number): number | null {
  if (!Number.isFinite(value)) return null
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}

const FIXED_COLUMNS = ['time', 'request_id', 'version', 'latency_ms', 'class', 'confidence'] as const

interface CsvColumn {
  readonly title: string
  readonly side: 'inputs' | 'outputs'
  readonly name: string
  readonly index: number
}

/** Columns of all rows up to a row: for each input and output as many as the longest has. */
function csvColumns(database: DatabaseSync, newest: number): CsvColumn[] {
  const longest = { inputs: new Map<string, number>(), outputs: new Map<string, number>() }
  const rows = database
    .prepare('SELECT layout FROM layouts WHERE id IN (SELECT layout_id FROM predictions WHERE id <= ?) ORDER BY id')
    .all(newest) as unknown as { layout: string }[]
  for (const { layout } of rows) {
    const parsed = JSON.parse(layout) as RowLayout
    for (const side of ['inputs', 'outputs'] as const) {
      for (const [name, stored] of parsed[side]) {
        // All texts of an input share one column.
        const columns = stored === 'left out' ? 0 : stored === 'texts' ? 1 : stored
        longest[side].set(name, Math.max(longest[side].get(name) ?? 0, columns))
      }
    }
  }
  return (['inputs', 'outputs'] as const).flatMap((side) =>
    Array.from(longest[side]).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, index): CsvColumn => {
        const title = `${side === 'inputs' ? 'input' : 'output'}.${name}${count > 1 ? `[${index}]` : ''}`
        return { title, side, name, index }
      }),
    ),
  )
}

function csvLine(row: ReadRow, columns: readonly CsvColumn[]): string {
  const fixed = FIXED_COLUMNS.map((name) => csvValue(row[name]))
  const values = columns.map(({ side, name, index }) => {
    const list = row[side][name]
    if (!list) return ''
    return typeof list[0] === 'string'
      ? index === 0
        ? csvText(list.length === 1 ? list[0] : JSON.stringify(list))
        : ''
      : csvValue(list[index] ?? null)
  })
  return [...fixed, ...values].join(',')
}

function csvValue(value: number | string | null): string {
  return value === null ? '' : typeof value === 'number' ? String(value) : csvText(value)
}

/** Quoted where it must be; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvText(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
