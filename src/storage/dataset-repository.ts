import { type Dataset, datasetSchema } from '../contract/dataset.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'
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
}

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

  /** A dataset of exactly these files read in exactly this way. */
  findSame(dataset: Pick<Dataset, 'files' | 'preprocessing'>): Dataset | undefined {
    const key = (entry: Pick<Dataset, 'files' | 'preprocessing'>) =>
      JSON.stringify([entry.files.map(({ role, sha256 }) => [role, sha256]), entry.preprocessing])
    return this.list().find((other) => key(other) === key(dataset))
  }

  /** Adds a dataset; a taken name gets " (2)" … */
  add(dataset: Dataset): Dataset {
    const insert = this.database.transaction(() => {
      this.database
        .prepare(
          'insert into datasets (id, name, format, files, preprocessing, report, created_at, source) values (?, ?, ?, ?, ?, ?, ?, ?)',
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
        )
      return this.get(dataset.id)
    })
    return insert.immediate()
  }

  /**
   * Removes a dataset; answers the hashes of files that no other dataset uses.
   * @throws EdgesmithError `IN_USE` when an evaluation refers to it
   */
  remove(id: string): string[] {
    const removal = this.database.transaction(() => {
      const dataset = this.get(id)
      if (this.database.prepare('select 1 from evaluations where dataset_id = ? limit 1').get(id)) {
        throw new EdgesmithError('IN_USE', `Evaluations were made with "${dataset.name}"`, {
          hint: 'Results keep the dataset they were measured on.',
        })
      }
      this.database.prepare('delete from datasets where id = ?').run(id)
      const used = new Set(this.list().flatMap((other) => other.files.map((file) => file.sha256)))
      return dataset.files.map((file) => file.sha256).filter((sha256) => !used.has(sha256))
    })
    return removal.immediate()
  }
}

function toDataset(row: DatasetRow): Dataset {
  const where = `dataset ${row.id}`
  return {
    id: row.id,
    name: row.name,
    format: datasetSchema.shape.format.parse(row.format),
    files: readJson(datasetSchema.shape.files, row.files, `${where} files`),
    preprocessing: readJson(datasetSchema.shape.preprocessing, row.preprocessing, `${where} preprocessing`),
    report: readJson(datasetSchema.shape.report, row.report, `${where} report`),
    createdAt: row.created_at,
    source: row.source,
  }
}
