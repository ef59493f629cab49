import { EdgesmithError } from '../contract/errors.ts'
import { type Model, modelSchema } from '../contract/model.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson, readOptionalJson } from './json-column.ts'

interface ModelRow {
  id: string
  name: string
  kind: 'model' | 'build'
  sha256: string
  size_bytes: number
  created_at: string
  report: string
  parent_id: string | null
  recipe: string | null
  target: string | null
  summary: string | null
  source: string | null
}

/** Models and builds. Rows are immutable but for the name. */
export class ModelRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  list(): Model[] {
    return this.database.prepare<[], ModelRow>('select * from models order by created_at desc, rowid desc').all().map(toModel)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Model {
    const row = this.database.prepare<[string], ModelRow>('select * from models where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no model or build ${id}`)
    return toModel(row)
  }

  /** The model with these bytes, or else the oldest build with them. */
  findByHash(sha256: string): Model | undefined {
    const row = this.database
      .prepare<[string], ModelRow>(`select * from models where sha256 = ? order by kind = 'build', created_at limit 1`)
      .get(sha256)
    return row && toModel(row)
  }

  /** Adds a model; a taken name gets " (2)", " (3)" … Answers the row as stored. */
  add(model: Model): Model {
    const insert = this.database.transaction(() => {
      const name = freeName(this.database, 'models', model.name)
      this.database
        .prepare(
          `insert into models (id, name, kind, sha256, size_bytes, created_at, report, parent_id, recipe, target, summary, source)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          model.id,
          name,
          model.kind,
          model.sha256,
          model.sizeBytes,
          model.createdAt,
          JSON.stringify(model.report),
          model.parentId,
          model.recipe && JSON.stringify(model.recipe),
          model.target,
          model.summary && JSON.stringify(model.summary),
          model.source,
        )
      return this.get(model.id)
    })
    return insert.immediate()
  }

  /** @throws EdgesmithError `NOT_FOUND`, `NAME_TAKEN` */
  rename(id: string, name: string): Model {
    const taken = this.database.prepare('select 1 from models where name = ? and id <> ?').get(name, id)
    if (taken) throw new EdgesmithError('NAME_TAKEN', `Another model is called "${name}"`)
    this.database.prepare('update models set name = ? where id = ?').run(name, id)
    return this.get(id)
  }

  /**
   * Removes a model and the results measured with it. Answers the hash when no other row uses those bytes.
   * @throws EdgesmithError `IN_USE` when builds or deployments need it
   */
  remove(id: string): string | undefined {
    const removal = this.database.transaction(() => {
      const model = this.get(id)
      const child = this.database.prepare<[string], { name: string }>('select name from models where parent_id = ? limit 1').get(id)
      if (child)
        throw new EdgesmithError('IN_USE', `"${model.name}" is the source of the build "${child.name}"`, {
          hint: 'Remove its builds first.',
        })
      const service = this.database
        .prepare<[string], { service: string }>('select service from deployments where model_id = ? limit 1')
        .get(id)
      if (service)
        throw new EdgesmithError('IN_USE', `"${model.name}" is deployed as "${service.service}"`, { hint: 'Remove the deployment first.' })
      for (const table of ['benchmarks', 'evaluations']) this.database.prepare(`delete from ${table} where model_id = ?`).run(id)
      this.database.prepare('delete from analyses where model_id = ? or baseline_id = ?').run(id, id)
      this.database.prepare('delete from models where id = ?').run(id)
      const shared = this.database.prepare('select 1 from models where sha256 = ?').get(model.sha256)
      return shared ? undefined : model.sha256
    })
    return removal.immediate()
  }
}

/** `name`, or the first of `name (2)`, `name (3)` … that the table does not hold. */
export function freeName(database: WorkspaceDatabase, table: 'models' | 'datasets', name: string): string {
  const taken = database.prepare(`select 1 from ${table} where name = ?`)
  let candidate = name
  for (let index = 2; taken.get(candidate); index++) candidate = `${name} (${index})`
  return candidate
}

function toModel(row: ModelRow): Model {
  const where = `model ${row.id}`
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    createdAt: row.created_at,
    report: readJson(modelSchema.shape.report, row.report, `${where} report`),
    parentId: row.parent_id,
    recipe: readOptionalJson(modelSchema.shape.recipe.unwrap(), row.recipe, `${where} recipe`),
    target: modelSchema.shape.target.parse(row.target),
    summary: readOptionalJson(modelSchema.shape.summary.unwrap(), row.summary, `${where} summary`),
    source: row.source,
  }
}
