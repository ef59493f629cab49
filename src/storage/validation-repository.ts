import { type Validation, validationSchema } from '../contract/deployment.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

interface ValidationRow {
  id: string
  validation: string
}

/** What checks of services found. A validation keeps the names of service, device and model: it stays readable when they are removed. */
export class ValidationRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  /** @param jobId the job that made it */
  put(validation: Validation, jobId: string): void {
    this.database
      .prepare('insert into validations (id, job_id, deployment_id, created_at, validation) values (?, ?, ?, ?, ?)')
      .run(validation.id, jobId, validation.deploymentId, validation.createdAt, JSON.stringify(validation))
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Validation {
    const text = this.database.prepare<[string], string>('select validation from validations where id = ?').pluck().get(id) as
      | string
      | undefined
    if (text === undefined) throw new EdgesmithError('NOT_FOUND', `There is no validation ${id}`)
    return readJson(validationSchema, text, `validation ${id}`)
  }

  /** Newest first; of one deployment or of all. */
  list(deploymentId?: string): Validation[] {
    return this.database
      .prepare<[string | null, string | null], ValidationRow>(
        'select id, validation from validations where ? is null or deployment_id = ? order by created_at desc, rowid desc',
      )
      .all(deploymentId ?? null, deploymentId ?? null)
      .map(({ id, validation }) => readJson(validationSchema, validation, `validation ${id}`))
  }
}
