import { CoreError } from '../core-error.ts'

/** A row of a CSV file: its cells, quotes taken off, and the line it begins on (the first line of the file is 1). */
export interface CsvRecord {
  readonly cells: readonly string[]
  readonly line: number
}

/** Bounds on what is held in memory at once. A row of 10,000 columns of 24 digits has 250,000 characters. */
const MAX_RECORD_CHARACTERS = 2 ** 20
export const MAX_CSV_COLUMNS = 10_000

const QUOTE = 0x22
const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a
const SPACE = 0x20

/**
 * Cuts CSV text into rows as it arrives. Source: RFC 4180; also read are other delimiters, line ends of LF or CR alone, and spaces behind a
 * closing quote. Empty lines are left out. Memory is bounded by one row of at most 2^20 characters.
 */
export class CsvRecords {
  private readonly delimiter: number
  private readonly file: string
  /** A row that has begun and not ended. */
  private rest = ''
  /** The line that `rest` begins on. */
  private line = 1

  /**
   * @param delimiter one character
   * @param file how messages call it
   */
  constructor(delimiter: string, file: string) {
    this.delimiter = delimiter.charCodeAt(0)
    this.file = file
  }

  /**
   * The rows that are whole now.
   * @param last no text follows
   * @throws CoreError `DATASET_INVALID` naming the line; `TOO_LARGE`
   */
  push(chunk: string, last: boolean): CsvRecord[] {
    const text = this.rest + chunk
    const records: CsvRecord[] = []
    let at = 0
    while (at < text.length) {
      const found = this.record(text, at, last)
      if (!found) break
      const { cells, next, lines } = found
      if (cells.length > 1 || cells[0] !== '') records.push({ cells, line: this.line })
      at = next
      this.line += lines
    }
    this.rest = text.slice(at)
    if (this.rest.length > MAX_RECORD_CHARACTERS) throw this.tooLong()
    return records
  }

  /** The row at `at`, undefined when its end is not there yet. */
  private record(text: string, at: number, last: boolean): { cells: string[]; next: number; lines: number } | undefined {
    const cells: string[] = []
    let lines = 0
    for (;;) {
      let end: number
      if (text.charCodeAt(at) === QUOTE) {
        const quoted = this.quoted(text, at, last, this.line + lines)
        if (!quoted) return undefined
        cells.push(quoted.cell)
        lines += quoted.lines
        end = quoted.end
      } else {
        end = this.endOfPlain(text, at)
        cells.push(text.slice(at, end))
      }
      if (cells.length > MAX_CSV_COLUMNS) {
        throw new CoreError('TOO_LARGE', `${this.file}, line ${this.line}: more than ${MAX_CSV_COLUMNS} columns.`, {
          hint: 'Wide samples are better kept as an array: numpy.savez("data.npz", x=x, labels=labels).',
          details: { line: this.line, limit: MAX_CSV_COLUMNS },
        })
      }
      if (end >= text.length) return last ? { cells, next: end, lines } : undefined
      const code = text.charCodeAt(end)
      if (code === this.delimiter) {
        at = end + 1
        continue
      }
      // The line feed behind a carriage return may still be on its way.
      if (code === CARRIAGE_RETURN && end + 1 === text.length && !last) return undefined
      const both = code === CARRIAGE_RETURN && text.charCodeAt(end + 1) === LINE_FEED
      return { cells, next: end + (both ? 2 : 1), lines: lines + 1 }
    }
  }

  private endOfPlain(text: string, from: number): number {
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === this.delimiter || code === LINE_FEED || code === CARRIAGE_RETURN) break
    }
    return at
  }

  private quoted(text: string, from: number, last: boolean, line: number): { cell: string; end: number; lines: number } | undefined {
    let at = from + 1
    let cell = ''
    for (;;) {
      const quote = text.indexOf('"', at)
      if (quote < 0) {
        if (!last) return undefined
        throw this.invalid(
          line,
          'a cell begins with a quote that is never closed',
          'Close the quote, or double quotes that belong to the text.',
        )
      }
      cell += text.slice(at, quote)
      at = quote + 1
      if (at >= text.length && !last) return undefined
      if (text.charCodeAt(at) !== QUOTE) break
      cell += '"'
      at++
    }
    while (text.charCodeAt(at) === SPACE) at++
    const code = text.charCodeAt(at)
    if (at < text.length && code !== this.delimiter && code !== LINE_FEED && code !== CARRIAGE_RETURN) {
      throw this.invalid(line, 'text follows the closing quote of a cell', 'Double quotes that belong to the text: "say ""hello""".')
    }
    return { cell, end: at, lines: linesIn(cell) }
  }

  private tooLong(): CoreError {
    return new CoreError('TOO_LARGE', `${this.file}, line ${this.line}: the row is longer than ${MAX_RECORD_CHARACTERS} characters.`, {
      hint: 'Probably a quote is never closed, or this is no CSV file.',
      details: { line: this.line, limit: MAX_RECORD_CHARACTERS },
    })
  }

  private invalid(line: number, problem: string, hint: string): CoreError {
    return new CoreError('DATASET_INVALID', `${this.file}, line ${line}: ${problem}.`, { hint, details: { line } })
  }
}

/** Line ends within a cell: LF, CR LF, or CR. */
function linesIn(cell: string): number {
  if (!cell.includes('\n') && !cell.includes('\r')) return 0
  return cell.replace(/\r\n/g, '\n').split(/[\n\r]/).length - 1
}

const DELIMITERS = [',', ';', '\t', '|'] as const
/** Rows that are looked at. */
const GUESS_ROWS = 50

/**
 * The delimiter of a CSV file from its beginning: the one that cuts the most rows into as many cells (at least two) as the first has; a
 * comma where none does.
 * @param whole the text is the whole file
 */
export function guessDelimiter(text: string, whole: boolean): string {
  let best = ','
  let bestScore = 0
  for (const delimiter of DELIMITERS) {
    const score = scoreOf(text, delimiter, whole)
    if (score > bestScore) [best, bestScore] = [delimiter, score]
  }
  return best
}

function scoreOf(text: string, delimiter: string, whole: boolean): number {
  let rows: CsvRecord[]
  try {
    rows = new CsvRecords(delimiter, '').push(text, whole).slice(0, GUESS_ROWS)
  } catch (error) {
    if (error instanceof CoreError) return 0
    throw error
  }
  const width = rows[0]?.cells.length ?? 1
  if (width < 2) return 0
  // Agreement first, then more columns. Quotes within cells are those of cells that were cut apart.
  const fits = ({ cells }: CsvRecord) => cells.length === width && !cells.some((cell) => cell.includes('"'))
  return rows.filter(fits).length / rows.length + Math.min(width, 1000) / 100_000
}
