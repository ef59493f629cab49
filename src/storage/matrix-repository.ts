import { EdgesmithError } from '../contract/errors.ts'
import { type Matrix, matrixSchema } from '../contract/matrix.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

/** Builds measured on several devices. A matrix keeps the names of its models and devices: it stays readable when they are removed. */
export class MatrixRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  add(matrix: Matrix): void {
    this.database
      .prepare('insert into matrices (id, job_id, created_at, matrix) values (?, ?, ?, ?)')
      .run(matrix.id, matrix.jobId, matrix.createdAt, JSON.stringify(matrix))
  }

  /** Newest first. */
  list(): Matrix[] {
    return this.database
      .prepare<[], { id: string; matrix: string }>('select id, matrix from matrices order by created_at desc, rowid desc')
      .all()
      .map((row) => readJson(matrixSchema, row.matrix, `matrix ${row.id}`))
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Matrix {
    const text = this.database.prepare<[string], string>('select matrix from matrices where id = ?').pluck().get(id) as string | undefined
    if (text === undefined) throw new EdgesmithError('NOT_FOUND', `There is no matrix ${id}`)
    return readJson(matrixSchema, text, `matrix ${id}`)
  }
}
