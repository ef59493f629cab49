import { closeSync, openSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { EdgesmithError } from '../../contract/errors.ts'
import { openDatabase } from './sqlite.ts'

/** Says what it is to whoever finds it: "EdPL". */
const APPLICATION_ID = 0x4564504c
const VERSION = 1
/** Deleted in one transaction at most, so that rows that wait are written in between. */
const DELETED_AT_ONCE = 2000
/** Of all rows, deleted at once where the file is too large: it is used well, and not tidied with every batch. */
const DELETED_SHARE = 0.05
const KEPT_LAYOUTS = 100
/** The write-ahead log grows to about this before it is moved into the file. */
const JOURNAL_BYTES = 2 * 2 ** 20
const DAY_MS = 86_400_000

const SCHEMA = `
CREATE TABLE layouts (
  id INTEGER PRIMARY KEY,
  layout TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE predictions (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  layout_id INTEGER NOT NULL REFERENCES layouts (id),
  request_id TEXT NOT NULL,
  latency_ms REAL NOT NULL,
  class INTEGER,
  confidence REAL,
  numbers BLOB NOT NULL,
  texts TEXT
) STRICT;
CREATE INDEX predictions_at ON predictions (at_ms);
`

/** How an input or output is stored: so many float32 values, as texts, or not at all because it is too long. */
export type Stored = number | 'texts' | 'left out'

/** How `numbers` of a row are cut up: the inputs' values, then the outputs', each row-major. Texts are in `texts`. */
export interface RowLayout {
  /** Of the model. */
  readonly version: string
  readonly inputs: readonly (readonly [name: string, stored: Stored])[]
  readonly outputs: readonly (readonly [name: string, stored: Stored])[]
}

/** A prediction as it is stored. */
export interface LoggedRow {
  readonly atMs: number
  /** A {@link RowLayout} as JSON. */
  readonly layout: string
  readonly requestId: string
  readonly latencyMs: number
  readonly class: number | null
  readonly confidence: number | null
  /** Little-endian float32. */
  readonly numbers: Uint8Array
  /** JSON: what is stored as texts, a list for each, inputs before outputs. */
  readonly texts: string | null
}

/** What is kept at most. */
export interface Retention {
  readonly days: number
  /** The file, its write-ahead log included. */
  readonly bytes: number
}

/** The file of predictions: SQLite in WAL mode, so that a killed process or a power cut loses the last rows at most and damages nothing. */
export class PredictionLogFile {
  readonly #database: DatabaseSync
  readonly #retention: Retention
  readonly #insert: StatementSync
  readonly #layoutIds = new Map<string, number>()
  readonly #pageBytes: number

  /** @throws EdgesmithError `WORKSPACE_INVALID` for a file that is something else or damaged, and what SQLite throws */
  constructor(path: string, retention: Retention) {
    this.#retention = retention
    // Predictions are private: nobody else may read them. SQLite gives its other files the same rights.
    closeSync(openSync(path, 'a', 0o600))
    this.#database = openDatabase(path, { readOnly: false })
    try {
      this.#prepare(path)
      this.#pageBytes = this.#pragma('page_size')
      // The last resort: rows are deleted long before.
      this.#database.exec(`PRAGMA max_page_count = ${Math.ceil(retention.bytes / this.#pageBytes)}`)
      this.#insert = this.#database.prepare(
        'INSERT INTO predictions (at_ms, layout_id, request_id, latency_ms, class, confidence, numbers, texts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Writes rows together: all or none. */
  append(rows: readonly LoggedRow[]): void {
    this.#transaction(() => {
      for (const { atMs, layout, requestId, latencyMs, class: index, confidence, numbers, texts } of rows) {
        this.#insert.run(Math.round(atMs), this.#layoutId(layout), requestId, latencyMs, index, confidence, numbers, texts)
      }
    })
  }

  /**
   * Deletes a part of what is too old or too much. @returns whether more is to be deleted
   */
  tidy(nowMs: number): boolean {
    const old = this.#delete('WHERE at_ms < ? ORDER BY at_ms', DELETED_AT_ONCE, nowMs - this.#retention.days * DAY_MS)
    // Room for what comes until the next time, and for the write-ahead log.
    const tooMuch = this.usedBytes > 0.9 * this.#retention.bytes - JOURNAL_BYTES
    const oldest = tooMuch ? this.#delete('ORDER BY id', Math.min(DELETED_AT_ONCE, Math.ceil(this.#rowsAtMost() * DELETED_SHARE))) : 0
    if (old + oldest > 0) {
      this.#forgetLayouts()
      this.#database.exec('PRAGMA incremental_vacuum(500)')
    }
    return old === DELETED_AT_ONCE || oldest > 0
  }

  /** Bytes that hold rows; pages that are free will be used again. */
  get usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pageBytes
  }

  close(): void {
    this.#database.close()
  }

  #prepare(path: string): void {
    const database = this.#database
    try {
      if (this.#pragma('user_version') === 0 && this.#pragma('schema_version') === 0) {
        database.exec('PRAGMA auto_vacuum = INCREMENTAL')
        database.exec('PRAGMA journal_mode = WAL')
        this.#transaction(() => database.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};`))
      }
      checkIdentity(database, path)
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${JOURNAL_BYTES};`)
      database.exec('PRAGMA wal_autocheckpoint = 400')
    } catch (error) {
      throw notALog(error, path)
    }
  }

  #layoutId(layout: string): number {
    const known = this.#layoutIds.get(layout)
    if (known !== undefined) return known
    this.#database.prepare('INSERT OR IGNORE INTO layouts (layout) VALUES (?)').run(layout)
    const { id } = this.#database.prepare('SELECT id FROM layouts WHERE layout = ?').get(layout) as { id: number }
    this.#layoutIds.set(layout, id)
    return id
  }

  #delete(which: string, most: number, ...values: number[]): number {
    const { changes } = this.#database
      .prepare(`DELETE FROM predictions WHERE id IN (SELECT id FROM predictions ${which} LIMIT ${most})`)
      .run(...values)
    return Number(changes)
  }

  /** From the ids, which ascend without a search through the file. */
  #rowsAtMost(): number {
    const { rows } = this.#database.prepare('SELECT coalesce(max(id) - min(id) + 1, 0) AS rows FROM predictions').get() as { rows: number }
    return rows
  }

  /** Every size a client sends of an input without fixed size makes a layout. */
  #forgetLayouts(): void {
    const { layouts } = this.#database.prepare('SELECT count(*) AS layouts FROM layouts').get() as { layouts: number }
    if (layouts <= KEPT_LAYOUTS) return
    this.#database.exec('DELETE FROM layouts WHERE id NOT IN (SELECT layout_id FROM predictions)')
    this.#layoutIds.clear()
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      // A layout of the transaction may be gone with it.
      this.#layoutIds.clear()
      // SQLite has rolled back by itself where the disk was full.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #pragma(name: string): number {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number
  }
}

/** @throws EdgesmithError `WORKSPACE_INVALID` for the database of another program or of a newer version */
export function checkIdentity(database: DatabaseSync, path: string): void {
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  const [application, version] = [pragma('application_id'), pragma('user_version')]
  if (application === APPLICATION_ID && version === VERSION) return
  throw new EdgesmithError(
    'WORKSPACE_INVALID',
    application === APPLICATION_ID
      ? `The prediction log ${path} is of version ${version}; this program knows ${VERSION}.`
      : `${path} is the database of another program, not a prediction log.`,
    { hint: 'Name another file, or move this one away.' },
  )
}

const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** SQLite's complaint about the content of a file as one that names the file; other errors as they are. */
export function notALog(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) return error
  return new EdgesmithError('WORKSPACE_INVALID', `The prediction log ${path} is damaged or no database: ${(error as Error).message}.`, {
    hint: 'Move it away; a new one is made.',
  })
}

/** SQLite's primary result code. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
