import { type Dataset, datasetSchema } from '../contract/dataset.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson, readOptionalJson } from './json-column.ts'
import { freeName } from './model-repository.ts'

interface DatasetRow {
  id: string
  name: string
  format: string
  files: string
  preprocessing: string
  report: string
  created_at: string
  source: string | null
  parent_id: string | null
  split: string | null
  columns: string | null
  class_names: string | null
}

/** What a dataset is, whatever it is called: two that agree in it are one. */
type DatasetContent = Pick<Dataset, 'files' | 'preprocessing' | 'parentId' | 'classNames' | 'columns'>

/** Datasets; their files are blobs. */
export class DatasetRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  list(): Dataset[] {
    return this.database.prepare<[], DatasetRow>('select * from datasets order by created_at desc, rowid desc').all().map(toDataset)
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Dataset {
    const row = this.database.prepare<[string], DatasetRow>('select * from datasets where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no dataset ${id}`)
    return toDataset(row)
  }

  /** Splits of a dataset, oldest first. */
  children(id: string): Dataset[] {
    return this.database.prepare<[string], DatasetRow>('select * from datasets where parent_id = ? order by rowid').all(id).map(toDataset)
  }

  /** A dataset of exactly these files read in exactly this way. */
  findSame(dataset: DatasetContent): Dataset | undefined {
    const key = (entry: DatasetContent) =>
      JSON.stringify([
        entry.files.map(({ role, sha256, name }) => [role, sha256, role === 'array' ? name : '']),
        entry.preprocessing,
        entry.parentId,
        entry.classNames,
        entry.columns,
      ])
    const wanted = key(dataset)
    return this.list().find((other) => key(other) === wanted)
  }

  /** Adds a dataset; a taken name gets " (2)" … */
  add(dataset: Dataset): Dataset {
    const insert = this.database.transaction(() => {
      this.database
        .prepare(
          `insert into datasets (id, name, format, files, preprocessing, report, created_at, source, parent_id, split, columns, class_names)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          dataset.id,
          freeName(this.database, 'datasets', dataset.name),
          dataset.format,
          JSON.stringify(dataset.files),
          JSON.stringify(dataset.preprocessing),
          JSON.stringify(dataset.report),
          dataset.createdAt,
          dataset.source,
          dataset.parentId,
          dataset.split,
          dataset.columns && JSON.stringify(dataset.columns),
          dataset.classNames && JSON.stringify(dataset.classNames),
        )
      return this.get(dataset.id)
    })
    return insert.immediate()
  }

  /** Does all of the work or nothing of it. */
  transaction<T>(work: () => T): T {
    return this.database.transaction(work).immediate()
  }

  /** @throws EdgesmithError `NOT_FOUND`, `NAME_TAKEN` */
  rename(id: string, name: string): Dataset {
    const taken = this.database.prepare('select 1 from datasets where name = ? and id <> ?').get(name, id)
    if (taken) throw new EdgesmithError('NAME_TAKEN', `Another dataset is called "${name}"`)
    this.database.prepare('update datasets set name = ? where id = ?').run(name, id)
    return this.get(id)
  }

  /** Changes how a dataset is read. Only for one that no result refers to. @throws EdgesmithError `NOT_FOUND`, `IN_USE` */
  update(id: string, change: Pick<Dataset, 'files' | 'preprocessing' | 'report'>): Dataset {
    return this.transaction(() => {
      this.requireNoResult(this.get(id))
      this.database
        .prepare('update datasets set files = ?, preprocessing = ?, report = ? where id = ?')
        .run(JSON.stringify(change.files), JSON.stringify(change.preprocessing), JSON.stringify(change.report), id)
      return this.get(id)
    })
  }

  /** True when an evaluation or analysis was made with it. */
  hasResults(id: string): boolean {
    return this.resultOn(id) !== undefined
  }

  /**
   * Removes a dataset; answers the hashes of files that no other dataset uses.
   * @throws EdgesmithError `IN_USE` when a result refers to it, or it was divided
   */
  remove(id: string): string[] {
    return this.transaction(() => {
      const dataset = this.get(id)
      this.requireNoResult(dataset)
      const [child] = this.children(id)
      if (child) {
        throw new EdgesmithError('IN_USE', `"${dataset.name}" was divided: "${child.name}" is a part of it`, {
          hint: 'Remove its splits first.',
        })
      }
      this.database.prepare('delete from datasets where id = ?').run(id)
      return this.unused(dataset.files.map(({ sha256 }) => sha256))
    })
  }

  /** Those of the hashes that no dataset uses. */
  unused(hashes: readonly string[]): string[] {
    const used = new Set(this.list().flatMap(({ files }) => files.map(({ sha256 }) => sha256)))
    return [...new Set(hashes)].filter((sha256) => !used.has(sha256))
  }

  private requireNoResult({ id, name }: Dataset): void {
    const what = this.resultOn(id)
    if (what === undefined) return
    throw new EdgesmithError('IN_USE', `${what} were made with "${name}"`, { hint: 'Results keep the dataset they were measured on.' })
  }

  private resultOn(id: string): 'Evaluations' | 'Analyses' | undefined {
    if (this.database.prepare('select 1 from evaluations where dataset_id = ? limit 1').get(id)) return 'Evaluations'
    if (this.database.prepare('select 1 from analyses where dataset_id = ? limit 1').get(id)) return 'Analyses'
    return undefined
  }
}

function toDataset(row: DatasetRow): Dataset {
  const where = `dataset ${row.id}`
  const { shape } = datasetSchema
  return {
    id: row.id,
    name: row.name,
    format: shape.format.parse(row.format),
    files: readJson(shape.files, row.files, `${where} files`),
    preprocessing: readJson(shape.preprocessing, row.preprocessing, `${where} preprocessing`),
    report: readJson(shape.report, row.report, `${where} report`),
    createdAt: row.created_at,
    source: row.source,
    parentId: row.parent_id,
    split: row.split,
    columns: readOptionalJson(shape.columns.unwrap().unwrap(), row.columns, `${where} columns`),
    classNames: readOptionalJson(shape.classNames.unwrap().unwrap(), row.class_names, `${where} class names`),
  }
}
