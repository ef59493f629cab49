import { plainText } from '../format/plain-text.ts'

/** The numbers of a chart as a table: shown instead of the picture, and copied as CSV. */
export interface ChartTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

/**
 * The table as CSV after RFC 4180: numbers with all their digits, missing values empty. Text that a spreadsheet would run as a formula
 * gets an apostrophe in front: names come from models and datasets of strangers.
 */
export function tableCsv({ columns, rows }: ChartTable): string {
  return [columns, ...rows]
    .map((row) => row.map(csvCell).join(','))
    .join('\r\n')
    .concat('\r\n')
}

function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  const text = plainText(value, 1000)
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
