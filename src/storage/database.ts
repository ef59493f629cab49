import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { EdgesmithError } from '../contract/errors.ts'
import { migrations } from './migrations.ts'

export type WorkspaceDatabase = Database.Database

/**
 * Opens (or makes) the database of a workspace folder and brings it to the newest version.
 * Window and command line open the same file at once: WAL, a busy time-out, and migrations under an exclusive lock.
 *
 * @throws EdgesmithError `WORKSPACE_INVALID` (newer version, damaged), `FILE_NOT_WRITABLE`, `NO_SPACE`
 */
export function openDatabase(folder: string): WorkspaceDatabase {
  try {
    makeFolders(folder)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC') throw new EdgesmithError('NO_SPACE', `The disk is full: cannot make the workspace ${folder}`)
    throw new EdgesmithError('FILE_NOT_WRITABLE', `Cannot write to the workspace folder ${folder} (${code})`, {
      hint: 'Choose another folder with --workspace or the variable EDGESMITH_WORKSPACE.',
    })
  }
  const path = join(folder, 'workspace.sqlite')
  try {
    const database = new Database(path, { timeout: 10_000 })
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    migrate(database, path)
    return database
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    if (/full/i.test(reason)) throw new EdgesmithError('NO_SPACE', `The disk is full: cannot open ${path}`)
    throw new EdgesmithError('WORKSPACE_INVALID', `Cannot open the workspace database ${path}: ${reason}`, {
      hint: 'Move the file away to start with an empty workspace; the blobs folder beside it keeps every model.',
    })
  }
}

/** `mkdir -p`. Node's own recursive form never returns in places like /proc, where making a folder answers ENOENT. */
function makeFolders(folder: string): void {
  const missing: string[] = []
  for (let path = folder; !existsSync(path) && dirname(path) !== path; path = dirname(path)) missing.unshift(path)
  for (const path of missing) {
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      // Another process made it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function migrate(database: WorkspaceDatabase, path: string): void {
  const upgrade = database.transaction(() => {
    const version = database.pragma('user_version', { simple: true }) as number
    if (version > migrations.length) {
      throw new EdgesmithError(
        'WORKSPACE_INVALID',
        `${path} was made by a newer Edgesmith (version ${version}, this one knows ${migrations.length})`,
        {
          hint: 'Update Edgesmith, or choose another workspace.',
        },
      )
    }
    for (let next = version; next < migrations.length; next++) {
      database.exec(migrations[next] as string)
      database.pragma(`user_version = ${next + 1}`)
    }
  })
  if ((database.pragma('user_version', { simple: true }) as number) !== migrations.length) upgrade.exclusive()
}
