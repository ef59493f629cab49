import type { ProcedureInput, ProcedureName } from '../../contract/procedures.ts'

// A job's row does not say which model or device it works on; this window remembers it for the jobs it started.
// sessionStorage keeps it over a reload of the page.
const STORAGE_KEY = 'edgesmith.started-jobs'
/** Enough for a long day of work; the oldest are forgotten. */
const MAX_REMEMBERED = 500

type StartedJobs = Record<string, { readonly name: string; readonly input: unknown }>

function readStartedJobs(): StartedJobs {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '{}') as StartedJobs
  } catch {
    return {}
  }
}

/** Keeps what a job was started with, when `output` says that one was started. */
export function rememberStartedJob(name: ProcedureName, input: unknown, output: unknown): void {
  const jobId = typeof output === 'object' && output !== null && 'jobId' in output ? output.jobId : undefined
  if (typeof jobId !== 'string') return
  const entries = Object.entries({ ...readStartedJobs(), [jobId]: { name, input } })
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(Object.fromEntries(entries.slice(-MAX_REMEMBERED))))
}

/** What this window started the job with; undefined for jobs of other procedures, windows and command lines. */
export function startedWith<N extends ProcedureName>(jobId: string, name: N): ProcedureInput<N> | undefined {
  const started = readStartedJobs()[jobId]
  return started?.name === name ? (started.input as ProcedureInput<N>) : undefined
}
