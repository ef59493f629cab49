import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'
import { readError } from '../../../platform/read-file.ts'
import { openTable, tableRows } from './read-table.ts'

/** The beginning of a table. */
export interface TableBeginning {
  readonly delimiter: string
  readonly columns: string[]
  /** Its first rows, cells cut after 80 characters. */
  readonly rows: string[][]
}

const ROWS = 4
const CELL_CHARACTERS = 80

/**
 * Looks at the beginning of a .csv, so that a person can say what its columns are.
 * @param delimiter where the user named it
 * @throws EdgesmithError or CoreError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `DATASET_INVALID`, `DATASET_EMPTY`, `TOO_LARGE`
 */
export function peekTable(path: string, delimiter: string | undefined): TableBeginning {
  const name = basename(path)
  // A pipe would be waited for.
  if (!isFile(path, name)) throw new EdgesmithError('FILE_UNREADABLE', `${name} is not a file.`)
  const table = openTable(path, name, delimiter)
  const rows: string[][] = []
  for (const { cells } of tableRows(table)) {
    rows.push(cells.map((cell) => cell.slice(0, CELL_CHARACTERS)))
    if (rows.length === ROWS) break
  }
  return { delimiter: table.delimiter, columns: [...table.header], rows }
}

function isFile(path: string, name: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    throw readError(error, name)
  }
}
