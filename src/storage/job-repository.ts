import type { ErrorReport } from '../contract/errors.ts'
import { EdgesmithError } from '../contract/errors.ts'
import {
  errorReportSchema,
  type Job,
  type JobLogLine,
  type JobState,
  jobStateSchema,
  type Progress,
  progressSchema,
} from '../contract/job.ts'
import type { WorkspaceDatabase } from './database.ts'
import { readOptionalJson } from './json-column.ts'

interface JobRow {
  id: string
  kind: string
  title: string
  state: string
  progress: string | null
  error: string | null
  result: string | null
  waiting_for: string | null
  cancel_requested: number
  owner: string
  engine_pid: number | null
  created_at: string
  started_at: string | null
  finished_at: string | null
}

/** A job nobody finished: its owner and the engine it may have left behind. */
export interface UnfinishedJob {
  readonly id: string
  readonly owner: string
  readonly enginePid: number | null
}

/** A log longer than this says the same thing again and again. */
const MAX_LOG_LINES = 5000

/** Jobs of all processes that use the workspace; `owner` is the process that runs one. */
export class JobRepository {
  private readonly database: WorkspaceDatabase
  private readonly owner: string

  constructor(database: WorkspaceDatabase, owner: string) {
    this.database = database
    this.owner = owner
  }

  list(limit: number): Job[] {
    return this.database
      .prepare<[number], JobRow>('select * from jobs order by created_at desc, rowid desc limit ?')
      .all(limit)
      .map((row) => this.toJob(row))
  }

  /** @throws EdgesmithError `NOT_FOUND` */
  get(id: string): Job {
    const row = this.database.prepare<[string], JobRow>('select * from jobs where id = ?').get(id)
    if (!row) throw new EdgesmithError('NOT_FOUND', `There is no job ${id}`)
    return this.toJob(row)
  }

  add(job: { readonly id: string; readonly kind: string; readonly title: string; readonly createdAt: string }): void {
    this.database
      .prepare(`insert into jobs (id, kind, title, state, owner, created_at) values (?, ?, ?, 'queued', ?, ?)`)
      .run(job.id, job.kind, job.title, this.owner, job.createdAt)
  }

  setWaitingFor(id: string, waitingFor: string | null): void {
    this.database.prepare('update jobs set waiting_for = ? where id = ?').run(waitingFor, id)
  }

  start(id: string, at: string): void {
    this.database.prepare(`update jobs set state = 'running', started_at = ?, waiting_for = null where id = ?`).run(at, id)
  }

  setProgress(id: string, progress: Progress): void {
    this.database.prepare('update jobs set progress = ? where id = ?').run(JSON.stringify(progress), id)
  }

  setEnginePid(id: string, pid: number | null): void {
    this.database.prepare('update jobs set engine_pid = ? where id = ?').run(pid, id)
  }

  finish(
    id: string,
    state: Extract<JobState, 'succeeded' | 'failed' | 'cancelled'>,
    at: string,
    outcome: { result?: unknown; error?: ErrorReport },
  ): void {
    this.database
      .prepare('update jobs set state = ?, finished_at = ?, result = ?, error = ?, waiting_for = null, engine_pid = null where id = ?')
      .run(
        state,
        at,
        outcome.result === undefined ? null : JSON.stringify(outcome.result),
        outcome.error === undefined ? null : JSON.stringify(outcome.error),
        id,
      )
  }

  requestCancel(id: string): void {
    this.database.prepare('update jobs set cancel_requested = 1 where id = ?').run(id)
  }

  /** Jobs of this process that someone (also another process) asked to cancel. */
  cancelRequests(): string[] {
    return this.database
      .prepare<[string], string>(`select id from jobs where owner = ? and cancel_requested = 1 and state in ('queued', 'running')`)
      .pluck()
      .all(this.owner) as unknown as string[]
  }

  appendLog(id: string, at: string, text: string): void {
    const next = this.database
      .prepare<[string], number>('select coalesce(max(sequence), 0) + 1 from job_log where job_id = ?')
      .pluck()
      .get(id) as number
    if (next > MAX_LOG_LINES) return
    const line = next === MAX_LOG_LINES ? `(the log is longer than ${MAX_LOG_LINES} lines; the rest was dropped)` : text.slice(0, 4000)
    this.database.prepare('insert into job_log (job_id, sequence, at, text) values (?, ?, ?, ?)').run(id, next, at, line)
  }

  log(id: string): JobLogLine[] {
    return this.database.prepare<[string], JobLogLine>('select at, text from job_log where job_id = ? order by sequence').all(id)
  }

  /** Jobs that are queued or running, of any process. */
  unfinished(): UnfinishedJob[] {
    return this.database
      .prepare<[], UnfinishedJob>(`select id, owner, engine_pid as enginePid from jobs where state in ('queued', 'running')`)
      .all()
  }

  private toJob(row: JobRow): Job {
    return {
      id: row.id,
      kind: row.kind,
      title: row.title,
      state: jobStateSchema.parse(row.state),
      progress: readOptionalJson(progressSchema, row.progress, `job ${row.id} progress`),
      error: readOptionalJson(errorReportSchema, row.error, `job ${row.id} error`),
      result: row.result === null ? null : (JSON.parse(row.result) as unknown),
      waitingFor: row.waiting_for,
      createdAt: row.created_at,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      foreign: row.owner !== this.owner,
    }
  }
}
