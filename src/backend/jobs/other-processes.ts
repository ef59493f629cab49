import type { BackendEvent } from '../../contract/backend-event.ts'
import type { WorkspaceDatabase } from '../../storage/database.ts'
import type { JobRepository } from '../../storage/job-repository.ts'
import { markInterruptedJobs } from './interrupted-jobs.ts'

/** Slow enough to cost nothing, fast enough to feel live. */
const POLL_MS = 1000
const WATCHED = ['models', 'datasets', 'benchmarks', 'evaluations', 'comparisons', 'devices', 'deployments'] as const
/** Jobs of others that are announced again; older ones have ended long ago. */
const RECENT_JOBS = 20

/**
 * Announces what another process (window or command line) changed in the same workspace. SQLite's `data_version` changes exactly
 * when another connection committed. Jobs whose process died meanwhile are marked as interrupted.
 */
export function watchOtherProcesses(
  database: WorkspaceDatabase,
  jobs: JobRepository,
  engineEntry: string,
  emit: (event: BackendEvent) => void,
): () => void {
  let version = database.pragma('data_version', { simple: true })
  const timer = setInterval(() => {
    for (const id of markInterruptedJobs(jobs, engineEntry)) emit({ type: 'job', job: jobs.get(id) })
    const now = database.pragma('data_version', { simple: true })
    if (now === version) return
    version = now
    for (const what of WATCHED) emit({ type: 'changed', what })
    for (const job of jobs.list(RECENT_JOBS)) if (job.foreign) emit({ type: 'job', job })
  }, POLL_MS)
  timer.unref()
  return () => clearInterval(timer)
}
