import { EdgesmithError } from '../contract/errors.ts'
import { type ReportDocument, type ReportEntry, reportDocumentSchema } from '../contract/report.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

interface EntryRow {
  id: string
  title: string
  origin: 'written' | 'imported'
  path: string | null
  created_at: string
  comparisons: number
  benchmarks: number
  evaluations: number
  analyses: number
  matrices: number
  validations: number
}

// The counts come from the stored text itself, so a listing never has to hold all documents in memory.
const entries = `select id, title, origin, path, created_at,
  json_array_length(document, '$.comparisons') as comparisons,
  json_array_length(document, '$.benchmarks') as benchmarks,
  json_array_length(document, '$.evaluations') as evaluations,
  json_array_length(document, '$.analyses') as analyses,
  coalesce(json_array_length(document, '$.matrices'), 0) as matrices,
  coalesce(json_array_length(document, '$.validations'), 0) as validations
  from reports`

/** Reports as documents; the files they were written to are the user's. */
export class ReportRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  /** Newest first. */
  list(): ReportEntry[] {
    return this.database.prepare<[], EntryRow>(`${entries} order by created_at desc, rowid desc`).all().map(toEntry)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  entry(id: string): ReportEntry {
    const row = this.database.prepare<[string], EntryRow>(`${entries} where id = ?`).get(id)
    if (!row) throw notFound(id)
    return toEntry(row)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  document(id: string): ReportDocument {
    const text = this.database.prepare<[string], string>('select document from reports where id = ?').pluck().get(id) as string | undefined
    if (text === undefined) throw notFound(id)
    return readJson(reportDocumentSchema, text, `report ${id}`)
  }

  add(key: Pick<ReportEntry, 'id' | 'origin' | 'path' | 'createdAt'>, document: ReportDocument): ReportEntry {
    this.database
      .prepare('insert into reports (id, title, origin, path, created_at, document) values (?, ?, ?, ?, ?, ?)')
      .run(key.id, document.title, key.origin, key.path, key.createdAt, JSON.stringify(document))
    return this.entry(key.id)
  }

  /** Notes where the report was written to last. @throws EdgesmithError `NOT_FOUND` */
  setPath(id: string, path: string): void {
    if (this.database.prepare('update reports set path = ? where id = ?').run(path, id).changes === 0) throw notFound(id)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  remove(id: string): void {
    if (this.database.prepare('delete from reports where id = ?').run(id).changes === 0) throw notFound(id)
  }
}

function notFound(id: string): EdgesmithError {
  return new EdgesmithError('NOT_FOUND', `There is no report ${id}`)
}

function toEntry({ created_at, ...row }: EntryRow): ReportEntry {
  return { ...row, createdAt: created_at }
}
