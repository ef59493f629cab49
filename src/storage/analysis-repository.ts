import { type Analysis, type AnalysisEntry, analysisEntrySchema, analysisSchema } from '../contract/analysis.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readJson } from './json-column.ts'

interface SubjectRow {
  id: string
  kind: string
  job_id: string
  model_id: string
  baseline_id: string | null
  dataset_id: string | null
  device_id: string
  created_at: string
}

interface AnalysisRow extends SubjectRow {
  result: string
}

interface EntryRow extends SubjectRow {
  /** JSON: `null`, or an object of {@link PROFILE_FIELDS}. */
  profile: string
}

/** What lists show of a profile; SQLite reads it out of the result. */
const PROFILE_FIELDS = ['batch', 'threads', 'plainMs'] as const

/** Which analyses are wanted; what is left out does not matter. */
export interface AnalysisFilter {
  readonly modelId?: string | undefined
  readonly baselineId?: string | undefined
  readonly kind?: Analysis['kind'] | undefined
}

/** Profiles, layer comparisons and explanations. Nothing is ever overwritten. */
export class AnalysisRepository {
  private readonly database: WorkspaceDatabase

  constructor(database: WorkspaceDatabase) {
    this.database = database
  }

  add(analysis: Analysis): void {
    const { id, kind, jobId, modelId, baselineId, datasetId, deviceId, createdAt, result } = analysis
    this.database
      .prepare(
        `insert into analyses (id, kind, job_id, model_id, baseline_id, dataset_id, device_id, created_at, result)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(id, kind, jobId, modelId, baselineId, datasetId, deviceId, createdAt, JSON.stringify(result))
  }

  /** Newest first, without their results. */
  list({ modelId, baselineId, kind }: AnalysisFilter): AnalysisEntry[] {
    const conditions = { model_id: modelId, baseline_id: baselineId, kind }
    const wanted = Object.entries(conditions).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const where = wanted.length > 0 ? `where ${wanted.map(([column]) => `${column} = ?`).join(' and ')}` : ''
    return this.database
      .prepare<string[], EntryRow>(
        `select id, kind, job_id, model_id, baseline_id, dataset_id, device_id, created_at,
           iif(kind = 'profile' and json_valid(result), json_object(${PROFILE_FIELDS.map((name) => `'${name}', result ->> '$.${name}'`).join(', ')}), 'null') as profile
         from analyses ${where} order by created_at desc, rowid desc`,
      )
      .all(...wanted.map(([, value]) => value))
      .map((row) =>
        readJson(analysisEntrySchema, `${JSON.stringify(subjectOf(row)).slice(0, -1)},"profile":${row.profile}}`, `analysis ${row.id}`),
      )
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Analysis {
    const row = this.database.prepare<[string], AnalysisRow>('select * from analyses where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no analysis ${id}`)
    return toAnalysis(row)
  }
}

function toAnalysis(row: AnalysisRow): Analysis {
  // The result is put into the text as it is, so that a large one is parsed once.
  return readJson(analysisSchema, `${JSON.stringify(subjectOf(row)).slice(0, -1)},"result":${row.result}}`, `analysis ${row.id}`)
}

function subjectOf(row: SubjectRow) {
  return {
    id: row.id,
    kind: row.kind,
    jobId: row.job_id,
    modelId: row.model_id,
    baselineId: row.baseline_id,
    datasetId: row.dataset_id,
    deviceId: row.device_id,
    createdAt: row.created_at,
  }
}
