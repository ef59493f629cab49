import type { DatabaseSync } from 'node:sqlite'
import { EdgesmithError } from '../../contract/errors.ts'

type Sqlite = typeof import('node:sqlite')

let loaded: Sqlite | undefined

/**
 * SQLite as Node 22 has it built in, which spares boards a native module. Node says on standard error that it is experimental; here that would
 * be a line in every service's log about something that its owner cannot change (the tests run against the very Node that is shipped).
 *
 * @throws EdgesmithError `SETUP_INCOMPLETE` where this Node has none
 */
export function openDatabase(path: string, options: { readonly readOnly: boolean }): DatabaseSync {
  loaded ??= loadSqlite()
  const database = new loaded.DatabaseSync(path, options)
  // Reader and writer are in each other's way for moments only, such as when one of them closes the file.
  database.exec('PRAGMA busy_timeout = 5000')
  return database
}

function loadSqlite(): Sqlite {
  const emitWarning = process.emitWarning
  try {
    process.emitWarning = () => {}
    const sqlite = process.getBuiltinModule('node:sqlite') as Sqlite | undefined
    if (sqlite) return sqlite
  } finally {
    process.emitWarning = emitWarning
  }
  throw new EdgesmithError('SETUP_INCOMPLETE', `Node ${process.version} has no SQLite, which the prediction log needs.`, {
    hint: 'Use Node 22.13 or newer.',
  })
}
