import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { TextDecoder } from 'node:util'
import { EdgesmithError } from '../../../contract/errors.ts'
import { type CsvRecord, CsvRecords, guessDelimiter } from '../../../core/datasets/csv-records.ts'
import { readError } from '../../../platform/read-file.ts'

const CHUNK_BYTES = 1 << 18

/** A table whose header was read. */
export interface TableFile {
  readonly path: string
  /** How messages call it. */
  readonly name: string
  readonly sizeBytes: number
  readonly delimiter: string
  readonly header: readonly string[]
}

/**
 * Looks at the beginning of a .csv: delimiter and header.
 * @param delimiter where the user named it
 * @throws EdgesmithError or CoreError `DATASET_INVALID`, `DATASET_EMPTY`, those of reading a file
 */
export function openTable(path: string, name: string, delimiter: string | undefined): TableFile {
  const { sizeBytes, text } = firstText(path, name)
  const found = delimiter ?? guessDelimiter(text, Buffer.byteLength(text) >= sizeBytes)
  const table = { path, name, sizeBytes, delimiter: found }
  for (const { cells } of rawRecords(table)) return { ...table, header: checkedHeader(cells, name) }
  throw new EdgesmithError('DATASET_EMPTY', `${name} is empty.`, {
    hint: 'A table begins with a header: one line with the names of its columns.',
  })
}

/**
 * The rows below the header, each with as many cells as the header; spaces around cells are taken off.
 * @param onBytes called with the number of bytes read so far
 * @throws EdgesmithError or CoreError `DATASET_INVALID` naming the line, `TOO_LARGE`
 */
export function* tableRows(table: TableFile, onBytes?: (done: number) => void): Generator<CsvRecord> {
  let header = true
  for (const record of rawRecords(table, onBytes)) {
    if (header) {
      header = false
      continue
    }
    const { cells, line } = record
    if (cells.length !== table.header.length) {
      throw new EdgesmithError(
        'DATASET_INVALID',
        `${table.name}, line ${line}: expected ${table.header.length} cells as in the header, found ${cells.length}.`,
        {
          hint: 'Put cells that contain the delimiter into quotes, or name the delimiter.',
          details: { line, expected: table.header.length, found: cells.length, delimiter: table.delimiter },
        },
      )
    }
    yield { cells: cells.map((cell) => cell.trim()), line }
  }
}

function* rawRecords(
  { path, name, delimiter }: Pick<TableFile, 'path' | 'name' | 'delimiter'>,
  onBytes?: (done: number) => void,
): Generator<CsvRecord> {
  const records = new CsvRecords(delimiter, name)
  for (const { text, done, last } of texts(path, name)) {
    yield* records.push(text, last)
    onBytes?.(done)
  }
}

function checkedHeader(cells: readonly string[], file: string): string[] {
  const names = cells.map((cell) => cell.trim())
  const number = names.find((name) => name !== '' && Number.isFinite(Number(name)))
  if (number !== undefined && names.every((name) => name !== '' && Number.isFinite(Number(name)))) {
    throw new EdgesmithError(
      'DATASET_INVALID',
      `${file}, line 1: expected a header with the names of the columns, found numbers (${names.slice(0, 3).join(', ')} …).`,
      {
        hint: 'Write the names of the columns into the first line.',
        details: { line: 1, expected: 'names of columns', found: names.slice(0, 10) },
      },
    )
  }
  // pandas writes its row numbers under an empty name.
  const named = names.map((name, index) => (name === '' ? `column ${index + 1}` : name))
  const twice = named.findIndex((name, index) => named.indexOf(name) !== index)
  if (twice >= 0) {
    throw new EdgesmithError('DATASET_INVALID', `${file}, line 1: two columns are called ${JSON.stringify(named[twice]?.slice(0, 100))}.`, {
      hint: 'Give every column a name of its own.',
      details: { line: 1, column: twice + 1 },
    })
  }
  return named
}

function firstText(path: string, name: string): { sizeBytes: number; text: string } {
  const file = open(path, name)
  try {
    const sizeBytes = fstatSync(file).size
    for (const { text } of texts(path, name)) return { sizeBytes, text }
    return { sizeBytes, text: '' }
  } finally {
    closeSync(file)
  }
}

/** The text of a file piece by piece: UTF-8, or UTF-16 where a byte order mark says so. */
function* texts(path: string, name: string): Generator<{ text: string; done: number; last: boolean }> {
  const file = open(path, name)
  try {
    const buffer = new Uint8Array(CHUNK_BYTES)
    let decoder: TextDecoder | undefined
    let done = 0
    let lines = 1
    for (;;) {
      const read = readSync(file, buffer, 0, CHUNK_BYTES, done)
      const bytes = buffer.subarray(0, read)
      decoder ??= decoderFor(bytes)
      done += read
      // Network file systems may give less than was asked for; only nothing is the end.
      const last = read === 0
      let text: string
      try {
        text = decoder.decode(bytes, { stream: !last })
      } catch {
        throw new EdgesmithError(
          'DATASET_INVALID',
          `${name} is not UTF-8 text: the first bytes that are none stand behind line ${lines + linesBeforeError(bytes)}.`,
          {
            hint: 'Save it as UTF-8 (in a spreadsheet: "CSV UTF-8").',
          },
        )
      }
      if (text.includes('\0')) {
        throw new EdgesmithError('DATASET_INVALID', `${name} holds zero bytes, so it is no text.`, { hint: 'Is it really a .csv file?' })
      }
      lines += text.split('\n').length - 1
      yield { text, done, last }
      if (last) return
    }
  } catch (error) {
    throw error instanceof EdgesmithError ? error : readError(error, name)
  } finally {
    closeSync(file)
  }
}

function decoderFor(bytes: Uint8Array): TextDecoder {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding, { fatal: true })
}

/** Line feeds before the first byte sequence that is not UTF-8, about: counted in the longest beginning that decodes, by halves. */
function linesBeforeError(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      good = middle
    } catch {
      bad = middle
    }
  }
  return bytes.subarray(0, good).filter((byte) => byte === 0x0a).length
}

function open(path: string, name: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw readError(error, name)
  }
}
